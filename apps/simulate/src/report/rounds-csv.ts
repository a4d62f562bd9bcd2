import type { RoundEvent } from '../events.ts';
import { measured } from './format.ts';

const columns = [
  'round',
  'accuracy',
  'loss',
  'participants',
  'bytesUp',
  'bytesDown',
  'seconds',
  'capped',
  'scaled',
] as const;

/** Columns of the rounds of a task with a numeric target: the error in its unit comes last. */
const withError = [...columns, 'error'] as const;

/**
 * The rounds as CSV (RFC 4180): a header with the keys of the events, then a line a round. Numbers are written so that
 * reading them gives the same number; unmeasured values are empty. Nothing needs quotes, since all fields are numbers.
 */
export function roundsCsv(
  rounds: readonly RoundEvent[],
  hasError = rounds.some(({ error }) => error !== undefined),
): string {
  return csvHeader(hasError) + rounds.map((round) => csvLine(round, hasError)).join('');
}

/** The first line. @param hasError true for a task with a numeric target. */
export function csvHeader(hasError: boolean): string {
  return `${(hasError ? withError : columns).join(',')}\r\n`;
}

/** The line of a round. */
export function csvLine(round: RoundEvent, hasError: boolean): string {
  const fields = (hasError ? withError : columns).map((column) => {
    const value = round[column] ?? null;
    return measured(value) ? String(value) : '';
  });
  return `${fields.join(',')}\r\n`;
}
