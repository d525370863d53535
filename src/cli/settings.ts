import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { settingsTable } from '../settings/settings.js';
import { answer, tell } from './terminal.js';

const BEGIN = '<!-- settings: made by `npm run settings` -->';
const END = '<!-- /settings -->';

/** `fleet-twin settings`: every setting as a Markdown table, or that table in a file compared or written. */
export function settingsCommand(): Command {
  return new Command('settings')
    .description('every setting with its default, unit and purpose')
    .option('--check <file>', 'exit code 1 when the table in the file is stale')
    .option('--write <file>', 'puts the table into the file')
    .action(({ check, write }: { check?: string; write?: string }) => {
      if (write !== undefined) writeFileSync(write, withTable(readFileSync(write, 'utf8')));
      else if (check === undefined) answer(table());
      else if (readFileSync(check, 'utf8') !== withTable(readFileSync(check, 'utf8'))) {
        tell(`the settings table in ${check} is stale: npm run settings`);
        process.exitCode = 1;
      }
    });
}

function table(): string {
  const rows = [['setting', 'default', 'unit', 'what for'], ['---', '---', '---', '---'], ...settingsTable()];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function withTable(text: string): string {
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`the file has no lines ${BEGIN} and ${END}`);
  return `${text.slice(0, before + BEGIN.length)}\n${table()}\n${text.slice(after)}`;
}
