import { Command } from 'commander';
import { importCommand } from './models-import.js';

/** `fleet-twin models …` */
export function modelsCommand(): Command {
  return new Command('models').description('models that score').addCommand(importCommand());
}
