import { Command } from 'commander';
import { backtest, type Backtest } from '../evaluation/backtest.js';
import { rulesOf } from '../settings/episode-rules.js';
import { loadModel } from './model-source.js';
import { fromOption, rangeOf, toOption, type RangeFlags } from './range-option.js';
import { answer, tick } from './terminal.js';
import { withDatabase } from './with-database.js';

interface BacktestFlags extends RangeFlags {
  readonly car?: string;
  readonly json?: boolean;
}

/** `fleet-twin backtest`: what a model would have raised. */
export function backtestCommand(): Command {
  return new Command('backtest')
    .description('scores stored history by a model, touching no live state, and tells what would have been raised')
    .argument('<model>', 'folder of the model, or its name@version in the registry')
    .addOption(fromOption('24h'))
    .addOption(toOption())
    .option('--car <id>', 'of one car only')
    .option('--json', 'everything, each episode too, as JSON')
    .action((model: string, flags: BacktestFlags) =>
      withDatabase(async (database, settings) => {
        const range = { ...rangeOf(flags), car: flags.car };
        const scorer = await loadModel(database, settings, model);
        try {
          const onProgress = (readings: number) => tick(`${readings} readings`);
          const result = await backtest(database, range, scorer, rulesOf(settings), onProgress);
          if (result.readings === 0) throw new Error('the history holds no readings of that time');
          answer(flags.json ? JSON.stringify(result, null, 1) : tableOf(result));
        } finally {
          await scorer.close();
        }
      }),
    );
}

/** Episodes a line beyond this many are only counted. */
const SHOWN = 20;

function tableOf({ model, cars, readings, unscored, flagged, flaggedThen, episodes, raisedThen }: Backtest): string {
  const byKind = new Map<string, number>();
  for (const { kind } of episodes) byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
  const kinds = [...byKind].toSorted(([, one], [, other]) => other - one).map(([kind, count]) => `${kind} ${count}`);
  const first = episodes.slice(0, SHOWN).map(({ car, kind, severity, openedAt, peakRatio, cleared }) => {
    const state = cleared ? 'cleared' : 'open';
    return `  ${openedAt.toISOString()}  ${car}  ${kind}  ${severity}  peak ${peakRatio.toFixed(2)}  ${state}`;
  });
  const more = episodes.length - first.length;
  return [
    `${model} on ${readings} readings of ${cars} cars${unscored > 0 ? `, ${unscored} of them unscored` : ''}`,
    `  flagged ${flagged} readings; then ${flaggedThen} were`,
    `  would have raised ${episodes.length} episodes${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}; then ${raisedThen} were`,
    ...first,
    ...(more > 0 ? [`  and ${more} more (--json has all)`] : []),
  ].join('\n');
}
