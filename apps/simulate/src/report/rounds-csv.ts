import { type MetricName, metricNames } from '@coppice/protocol';
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
 * reading them gives the same number; the task's own measures come last, where it has any; unmeasured values are empty. Nothing needs quotes, since all fields are numbers.
 */
export function roundsCsv(
  rounds: readonly RoundEvent[],
  form: CsvForm = {
    hasError: rounds.some(({ error }) => error !== undefined),
    metrics: metricNames.filter((name) => rounds.some(({ values }) => values?.[name] !== undefined)),
  },
): string {
  return csvHeader(form) + rounds.map((round) => csvLine(round, form)).join('');
}

/** The columns of a task's rounds beside those of all tasks. */
export interface CsvForm {
  /** True for a task with a numeric target: its error in the target's unit. */
  readonly hasError: boolean;
  /** The task's own measures. */
  readonly metrics: readonly MetricName[];
}

/** The first line. */
export function csvHeader({ hasError, metrics }: CsvForm): string {
  return `${[...(hasError ? withError : columns), ...metrics].join(',')}\r\n`;
}

/** The line of a round. */
export function csvLine(round: RoundEvent, { hasError, metrics }: CsvForm): string {
  const cell = (value: number | null | undefined) => (measured(value) ? String(value) : '');
  const fields = [
    ...(hasError ? withError : columns).map((column) => cell(round[column])),
    ...metrics.map((name) => cell(round.values?.[name])),
  ];
  return `${fields.join(',')}\r\n`;
}
