const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Placeholder for a value that was not measured. */
export const NOT_MEASURED = '–';

/** 12345 → `12,345`. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/**
 * A share of 1 as a percentage with two decimals, which is exact for test sets of up to 10,000 examples: a run that
 * missed its target by one example never appears to have reached it.
 */
export function formatPercent(share: number | null): string {
  return measured(share) ? `${(share * 100).toFixed(2)}%` : NOT_MEASURED;
}

/** Four significant digits, without an exponent for the losses that occur. */
export function formatLoss(loss: number | null): string {
  if (!measured(loss)) return NOT_MEASURED;
  const size = Math.abs(loss);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return loss.toExponential(3);
  return size >= 1000 ? loss.toFixed(0) : size >= 1 ? loss.toPrecision(4) : loss.toFixed(4);
}

/** Decimal units, as networks count: 1 MB is 1,000,000 bytes. */
export function formatBytes(bytes: number): string {
  const [unit, name] = byteUnit(bytes);
  const value = bytes / unit;
  return `${unit === 1 ? Math.round(value) : value.toFixed(value < 9.995 ? 2 : 1)} ${name}`;
}

/** The unit of such an amount: its size in bytes, and its name. */
export function byteUnit(bytes: number): readonly [number, string] {
  const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
  let power = 0;
  // 999.95 would be printed as 1000.0 of the smaller unit.
  while (bytes / 1000 ** power >= 999.95 && power < names.length - 1) power++;
  return [1000 ** power, names[power] as string];
}

/** Formats a round number, for ticks and settings: without trailing zeros and rounding errors. */
export function formatRound(value: number): string {
  return String(Number(value.toPrecision(10)));
}

/** `840 ms`, `3.2 s`, `4 min 05 s`, `2 h 07 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return NOT_MEASURED;
  const milliseconds = Math.round(seconds * 1000);
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `1 round`, `2 rounds`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Checks that a value is a finite number: diverged runs may report NaN or infinity. */
export function measured(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
