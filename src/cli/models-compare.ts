import { Command } from 'commander';
import { compareShadow, type Comparison } from '../registry/comparison.js';
import { findModel } from '../registry/model-store.js';
import { fromOption, rangeOf, toOption, type RangeFlags } from './range-option.js';
import { answer } from './terminal.js';
import { withDatabase } from './with-database.js';

/** `fleet-twin models compare`: what a model in the shadow would have changed. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('a model that scored in the shadow beside the one in use: agreement, extra and missing alarms')
    .argument('<model>', 'name@version')
    .addOption(fromOption('24h'))
    .addOption(toOption())
    .option('--json', 'as JSON')
    .action((model: string, { json, ...flags }: RangeFlags & { json?: boolean }) =>
      withDatabase(async (database) => {
        await findModel(database, model);
        const compared = await compareShadow(database, { model, ...rangeOf(flags) });
        if (json) return answer(JSON.stringify(compared, null, 1));
        if (compared.length === 0) throw new Error(`no reading of that time was scored by ${model} in the shadow`);
        for (const one of compared) answer(lineOf(one));
      }),
    );
}

function lineOf(one: Comparison): string {
  const { model, champion, readings, cars, both, neither, extra, missing, carsExtra, carsMissing } = one;
  const agreed = (((both + neither) / readings) * 100).toFixed(3);
  return [
    `${model} beside ${champion}: ${readings} readings of ${cars} cars, agreed on ${agreed} %`,
    `  anomalous for both ${both}, for ${model} alone ${extra} (${carsExtra} cars), for ${champion} alone ${missing} (${carsMissing} cars)`,
    `  mean score/threshold ${one.meanRatio.toFixed(3)} beside ${one.championMeanRatio.toFixed(3)}`,
  ].join('\n');
}
