import { metricNames } from '@coppice/protocol';
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
 * reading them gives the same number; the task's own measures come last, where it has any; unmeasured values are empty. Nothing needs quotes, since all fields are numbers.
 */
export function roundsCsv(rounds: readonly RoundEvent[]): string {
  const own = metricNames.filter((name) => rounds.some(({ values }) => values?.[name] !== undefined));
  const cell = (value: number | null | undefined) => (measured(value) ? String(value) : '');
  const lines = rounds.map((round) =>
    [...columns.map((column) => cell(round[column])), ...own.map((name) => cell(round.values?.[name]))].join(
      ',',
    ),
  );
  return [[...columns, ...own].join(','), ...lines].map((line) => `${line}\r\n`).join('');
}
