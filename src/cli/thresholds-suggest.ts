import { Command, InvalidArgumentError } from 'commander';
import { newestJudge, openings, type Opened } from '../evaluation/episode-openings.js';
import { suggestThreshold, type Labelled, type Suggestion } from '../evaluation/suggest-threshold.js';
import { rulesOf } from '../settings/episode-rules.js';
import { answer, tick } from './terminal.js';
import { withDatabase } from './with-database.js';

const DAY = 86_400_000;

interface SuggestFlags {
  readonly model?: string;
  readonly days: number;
  readonly json?: boolean;
}

/** What is said, and what `--json` has in full. */
interface Answer extends Suggestion {
  readonly model: string;
  readonly present: number;
  readonly labels: { readonly true: number; readonly false: number; readonly known: number };
  readonly days: number;
  /** Mechanical episodes of those days, and those of them that the suggested threshold would not have opened. */
  readonly recent: { readonly episodes: number; readonly notOpened: number };
  /** Episodes whose readings are gone, judged by their peak: they may open less often than is said. */
  readonly byPeak: number;
}

export function suggestCommand(): Command {
  return new Command('suggest')
    .description("proposes a threshold from people's labels on anomalies, and tells what it would have changed")
    .option('--model <name@version>', 'episodes of this model (default: the one of the newest labelled episode)')
    .option('--days <days>', 'how far back to count what would not have opened', days, 7)
    .option('--json', 'everything, each episode too, as JSON')
    .action((flags: SuggestFlags) =>
      withDatabase(async (database, settings) => {
        const model = flags.model ?? (await newestJudge(database)) ?? '';
        const since = new Date(Date.now() - flags.days * DAY);
        const found: (Opened & { threshold: number; recent: boolean })[] = [];
        for await (const one of openings(database, model, since, rulesOf(settings))) {
          found.push(one);
          if (found.length % 100 === 0) tick(`${found.length} episodes`);
        }
        const result = answerOf(found, model, flags.days);
        answer(flags.json ? JSON.stringify(result, null, 1) : textOf(result));
      }),
    );
}

/** @throws OneClassError */
function answerOf(
  found: readonly (Opened & { threshold: number; recent: boolean })[],
  model: string,
  days: number,
): Answer {
  const labelled = found.flatMap(({ id, label, opening }): Labelled[] =>
    label === 'TRUE' || label === 'FALSE' ? [{ id, label, opening }] : [],
  );
  const present = found.at(-1)?.threshold ?? 0;
  const suggestion = suggestThreshold(labelled, present);
  const recent = found.filter((one) => one.recent);
  const count = (label: Opened['label']) => found.filter((one) => one.label === label).length;
  return {
    model,
    present,
    ...suggestion,
    labels: { true: count('TRUE'), false: count('FALSE'), known: count('KNOWN') },
    days,
    recent: {
      episodes: recent.length,
      notOpened: recent.filter(({ opening }) => opening <= suggestion.threshold).length,
    },
    byPeak: found.filter((one) => one.byPeak).length,
  };
}

function textOf({ model, present, threshold, labels, days, recent, byPeak, ...said }: Answer): string {
  const { agreement, agreementNow, lostTrue, droppedFalse } = said;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const stays = threshold === present;
  return [
    stays
      ? `${model}: the threshold ${present.toFixed(4)} stays: no other agrees better with the labels`
      : `${model}: threshold ${threshold.toFixed(4)} instead of ${present.toFixed(4)} (${(threshold / present).toFixed(3)} times)`,
    `  labels: ${labels.true} TRUE, ${labels.false} FALSE, ${labels.known} KNOWN (not looked at)`,
    `  agreement ${percent(agreement)} instead of ${percent(agreementNow)} (mean of TRUE kept and FALSE dropped)`,
    ...listed('FALSE ones that would not have opened', droppedFalse),
    ...listed('TRUE ones that would not have opened', lostTrue),
    `  of the ${recent.episodes} episodes of the last ${days} days ${recent.notOpened} would not have opened`,
    ...(byPeak > 0 ? [`  ${byPeak} episodes were judged by their peak: their readings are gone`] : []),
  ].join('\n');
}

/** Episodes beyond this many are only counted. */
const SHOWN = 20;

function listed(what: string, episodes: readonly Labelled[]): string[] {
  const shown = episodes.slice(0, SHOWN).map(({ id, opening }) => `    ${id}  opens below ${opening.toFixed(4)}`);
  const more = episodes.length - shown.length;
  return [`  ${what}: ${episodes.length}`, ...shown, ...(more > 0 ? [`    and ${more} more (--json has all)`] : [])];
}

function days(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 36_500)) throw new InvalidArgumentError('It must be a number of days above 0.');
  return value;
}
