import { Option } from 'commander';
import { sinceOf } from './train-source.js';

export interface RangeFlags {
  /** ms since 1970 */
  readonly from: number;
  readonly to?: number;
}

/** @param fallback like 24h */
export function fromOption(fallback: string): Option {
  return new Option('--from <instant>', 'ISO 8601, or how long ago: 90m, 2h, 7d')
    .argParser((text) => sinceOf(text, Date.now()))
    .default(sinceOf(fallback, Date.now()), `${fallback} ago`);
}

export function toOption(): Option {
  return new Option('--to <instant>', 'not included (default: now)').argParser((text) => sinceOf(text, Date.now()));
}

/** @throws Error with one message for the user */
export function rangeOf({ from, to }: RangeFlags): { from: Date; to: Date } {
  const end = to ?? Date.now();
  if (from >= end) throw new Error('--from has to lie before --to');
  return { from: new Date(from), to: new Date(end) };
}
