import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { driftOfFleet } from '../registry/drift-of-fleet.js';
import { driftOf, type Drift } from '../score/drift.js';
import { trainedSignals } from '../score/signal-distribution.js';
import { readSettings } from '../settings/settings.js';
import type { Signals } from '../telemetry/signals.js';
import { fileReadings } from './file-readings.js';
import { fromOption, rangeOf, toOption, type RangeFlags } from './range-option.js';
import { answer } from './terminal.js';
import { withDatabase } from './with-database.js';

interface DriftFlags extends RangeFlags {
  readonly model?: string;
  readonly input?: string;
  readonly json?: boolean;
}

/** `fleet-twin drift`: whether the cars are still those that a model was trained on. */
export function driftCommand(): Command {
  return new Command('drift')
    .description(
      "how far readings are from a model's training window: population stability index by signal and firmware",
    )
    .option('--model <model>', 'name@version, or a folder with --input (default: the model in use)')
    .option('--input <file>', 'readings of a .csv, .jsonl or .avro file instead of the history')
    .addOption(fromOption('24h'))
    .addOption(toOption())
    .option('--json', 'as JSON')
    .action(async ({ model, input, json, ...range }: DriftFlags) => {
      const show = (of: string, groups: readonly Drift[]) =>
        answer(
          json
            ? JSON.stringify({ model: of, groups }, null, 1)
            : [`against the training of ${of}`, ...groups.map(tableOf)].join('\n'),
        );
      if (input !== undefined) return show(...(await driftOfFile(input, model)));
      await withDatabase(async (database, { MODEL_DIR: fallbackDir }) => {
        const drift = await driftOfFleet(database, { ...rangeOf(range), model, fallbackDir });
        show(drift.model, drift.groups);
      });
    });
}

/** Readings that are kept: every so manieth once there are more. */
const KEPT = 50_000;

async function driftOfFile(input: string, model?: string): Promise<[string, readonly Drift[]]> {
  const dir = model ?? readSettings(process.env).MODEL_DIR;
  const { name, version, signals } = trainedSignals(readFileSync(join(dir, 'metadata.json'), 'utf8'));
  if (!signals) throw new Error(`${name}@${version} does not say how the signals were spread in its training`);
  let kept: Signals[] = [];
  let [every, count] = [1, 0];
  for await (const reading of fileReadings(input)) {
    if (count++ % every !== 0) continue;
    kept.push(reading.signals);
    if (kept.length < 2 * KEPT) continue;
    kept = kept.filter((_, place) => place % 2 === 0);
    every *= 2;
  }
  if (kept.length === 0) throw new Error(`${input} holds no readings`);
  return [`${name}@${version}`, driftOf(kept, signals)];
}

function tableOf({ firmware, readings, verdict, signals }: Drift): string {
  const who = firmware === null ? 'all readings' : `firmware ${firmware}`;
  const rows = signals
    .toSorted((one, other) => (other.psi ?? -1) - (one.psi ?? -1))
    .map(({ signal, psi, verdict: own, missing }) => {
      const index = psi === null ? 'too few' : psi.toFixed(3);
      return `  ${signal.padEnd(26)} ${index.padStart(8)}  ${own ?? ''}${missing > 0 ? `  missing ${(missing * 100).toFixed(1)} %` : ''}`;
    });
  return [`${who}: ${verdict ?? 'too few to tell'} (${readings} looked at)`, ...rows.map((row) => row.trimEnd())].join(
    '\n',
  );
}
