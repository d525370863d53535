import { FAULT_NAMES, type FaultName, type Strength } from './faults.js';

/** What somebody typed, turned into values. Each throws an Error that says what would be right. */

/** A whole number above 0. */
export function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1)
    throw new Error('must be a whole number above 0');
  return count;
}

/** Any number above 0. */
export function amountOf(text: string): number {
  const amount = numberOf(text);
  if (!(amount > 0 && Number.isFinite(amount))) throw new Error('must be a number above 0');
  return amount;
}

export function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) throw new Error('must be a whole number, 0 or above');
  return seed;
}

/** `0.05` or `5%` */
export function shareOf(text: string): number {
  const share = text.endsWith('%') ? numberOf(text.slice(0, -1)) / 100 : numberOf(text);
  if (!(share >= 0 && share <= 1)) throw new Error('must be between 0 and 1, or between 0% and 100%');
  return share;
}

/** `-10..5`, or one number for both ends */
export function rangeOf(text: string): readonly [low: number, high: number] {
  const [low = NaN, high = low, ...more] = text.split('..').map(numberOf);
  if (more.length > 0 || !(Number.isFinite(low) && Number.isFinite(high) && low <= high))
    throw new Error('must be a range like 15..40, or one number');
  return [low, high];
}

/** `0..1000`, in messages */
export function ageOf(text: string): readonly [low: number, high: number] {
  const [low, high] = rangeOf(text);
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && low >= 0))
    throw new Error('must be a range of whole numbers like 0..1000');
  return [low, high];
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, ms: 0.001, m: 60, min: 60 };

/** s: `30`, `30s`, `500ms`, `2m` */
export function durationOf(text: string): number {
  const [, amount = '', unit = ''] = /^([\d.]+) *(ms|s|m|min|)$/.exec(text) ?? [];
  const seconds = numberOf(amount) * (SECONDS[unit] ?? NaN);
  if (!(seconds >= 0 && Number.isFinite(seconds))) throw new Error('must be a time like 30s, 500ms or 2m');
  return seconds;
}

export function faultNamesOf(text: string): FaultName[] {
  return text.split(',').map(faultNameOf);
}

/** `0.2`, a range `0.1..0.3`, or fault by fault: `tire=0.1,shock=0.2..1` */
export function strengthOf(text: string): Strength | Partial<Record<FaultName, Strength>> {
  if (!text.includes('=')) return oneStrength(text);
  const strengths: Partial<Record<FaultName, Strength>> = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    strengths[faultNameOf(name)] = oneStrength(value);
  }
  return strengths;
}

/** ms since 1970: `now`, or a day or time of ISO 8601 */
export function startOf(text: string, now: number): number {
  const start = text === 'now' ? now : /^\d{4}-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(start)) throw new Error('must be "now" or a time like 2026-01-31T12:00:00Z');
  return start;
}

function oneStrength(text: string): Strength {
  const [low = NaN, high = low, ...more] = text.split('..').map(numberOf);
  if (more.length > 0 || !(low >= 0 && high >= low && high <= 1)) {
    throw new Error('must be between 0 and 1, a range like 0.1..0.3, or fault by fault like tire=0.1,shock=0.2..1');
  }
  return low === high ? low : [low, high];
}

function faultNameOf(text: string): FaultName {
  const name = FAULT_NAMES.find((name) => name === text.trim());
  if (name === undefined) throw new Error(`must name faults of ${FAULT_NAMES.join(', ')}; "${text}" is none`);
  return name;
}

function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}
