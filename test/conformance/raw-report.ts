import { createHash } from 'node:crypto';

/* "Reports" of docs/protocol.md: the hash of a reference, and the numbers of a report from what was counted. */

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** RFC 8785, for values whose numbers ECMAScript prints. */
function canonical(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const of = value as { readonly [name: string]: Json };
  const names = Object.keys(of).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(of[name] as Json)}`).join(',')}}`;
}

export function canonicalHash(value: unknown): string {
  return createHash('sha256')
    .update(canonical(value as Json), 'utf8')
    .digest('hex');
}

const SHARES = 2n ** 20n;
const SQUARES = 2 ** 24;

/** Shares of counts in whole 2^-20 that add up to 1: what rounding down leaves goes to the largest remainders. */
export function sharesOf(counts: readonly number[]): number[] {
  const all = BigInt(counts.reduce((sum, one) => sum + one, 0));
  const units = counts.map((count) => (BigInt(count) * SHARES) / all);
  const remainders = counts.map((count, i) => ({ i, left: (BigInt(count) * SHARES) % all }));
  const order = remainders.sort((a, b) => (a.left === b.left ? a.i - b.i : a.left > b.left ? -1 : 1));
  const missing = Number(SHARES - units.reduce((sum, one) => sum + one, 0n));
  for (const { i } of order.slice(0, missing)) units[i] = (units[i] as bigint) + 1n;
  return units.map((one) => Number(one) / 2 ** 20);
}

/** One share, to the nearest 2^-20. */
export function shareOf(count: number, all: number): number {
  return Math.round((count / all) * 2 ** 20) / 2 ** 20;
}

export function squareOf(share: number): number {
  return Math.round(share * share * SQUARES) / SQUARES;
}

/** 1 ÷ a count, rounded up to 2^-24. */
export function inverseOf(count: number): number {
  return Math.ceil(SQUARES / count) / SQUARES;
}

/** The numbers of a canary's arms: those of the own arm, and 0 for the other. */
export function guardNumbers(guard: { arm: string; labelled: number; errors: number } | null) {
  const own = (value: number) => ['canary', 'control'].map((arm) => (arm === guard?.arm ? value : 0));
  const error = guard === null ? 0 : shareOf(guard.errors, guard.labelled);
  return {
    'guard-present': own(1),
    'guard-errors': own(error),
    'guard-squares': own(squareOf(error)),
  };
}

/** The mean and the mean square of values that a span maps to [0, 1], those beyond it at its limit. */
export function momentsOf(values: readonly number[], [low, high]: readonly [number, number]) {
  const mapped = values.map((value) => (Math.min(high, Math.max(low, value)) - low) / (high - low));
  const meanOf = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const mean = Math.round(meanOf(mapped) * 2 ** 20) / 2 ** 20;
  const square = Math.round(meanOf(mapped.map((one) => one * one)) * SQUARES) / SQUARES;
  return { mean, square: Math.min(mean, Math.max(squareOf(mean), square)) };
}
