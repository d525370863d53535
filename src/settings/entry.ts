import { z } from 'zod';

/** One environment variable: how it is read (default included), its unit, and what it is for. */
export interface Entry<T extends z.ZodType = z.ZodType> {
  readonly schema: T;
  readonly unit: string;
  readonly purpose: string;
}

export function entry<T extends z.ZodType>(schema: T, unit: string, purpose: string): Entry<T> {
  return { schema, unit, purpose };
}

export const text = (fallback: string) => z.string().trim().min(1).default(fallback);
export const whole = (fallback: number, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
export const ratio = (fallback: number, min: number, max: number) =>
  z.coerce.number().min(min).max(max).default(fallback);

export function splitList(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A list that need not be there. */
export function optionalListOf<T extends z.ZodType<unknown, string>>(item: T) {
  return z.string().transform(splitList).pipe(z.array(item).min(1)).optional();
}

export function listOf<T extends z.ZodType<unknown, string>>(item: T, fallback: string) {
  return z.string().default(fallback).transform(splitList).pipe(z.array(item).min(1));
}
