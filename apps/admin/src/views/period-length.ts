import { formatNumber } from '@coppice/ui';

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** A length of a period in the largest unit of which it is a whole number. */
export function periodLength(milliseconds: number): string {
  const [unit, size] = units.find(([, size]) => milliseconds % size === 0) ?? units[3];
  return formatNumber(milliseconds / size, { style: 'unit', unit, unitDisplay: 'long' });
}
