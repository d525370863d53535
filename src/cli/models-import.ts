import { Command } from 'commander';
import { importH2oCommand } from './models-import-h2o.js';
import { importTfjsCommand } from './models-import-tfjs.js';

/** `fleet-twin models import …`: models that were made elsewhere. */
export function importCommand(): Command {
  return new Command('import')
    .description('makes a model folder of a model that was made elsewhere')
    .addCommand(importH2oCommand())
    .addCommand(importTfjsCommand());
}
