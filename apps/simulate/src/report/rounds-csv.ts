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

/**
 * The rounds as CSV (RFC 4180): a header with the keys of the events, then a line a round. Numbers are written so that
 * reading them gives the same number; unmeasured values are empty. Nothing needs quotes, since all fields are numbers.
 */
export function roundsCsv(rounds: readonly RoundEvent[]): string {
  const lines = rounds.map((round) =>
    columns.map((column) => (measured(round[column]) ? String(round[column]) : '')).join(','),
  );
  return [columns.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}
