import { formatNumber } from '@coppice/ui';

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** The length of a period in the largest unit that it is a whole number of, such as `1 day` or `90 minutes`. */
export function periodText(milliseconds: number): string {
  const [unit, size] = units.find(([, one]) => milliseconds % one === 0 && milliseconds >= one) ?? units[3];
  return formatNumber(milliseconds / size, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 1,
  });
}
