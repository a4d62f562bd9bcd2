import type { StrainCause } from './policy.ts';

/*
 * Detection of strain on this device. Browsers do not report its temperature, so it is inferred: a hot device
 * slows itself down, and the same work takes much longer than at first.
 */

/** Duration of a stretch of training, by the worker's own clock. */
export interface Effort {
  /** Key of comparable efforts: one run, one backend, one pace. */
  readonly of: string;
  readonly millisecondsPerExample: number;
}

export interface Strain {
  /** The first efforts of each key: the speed of a cool device. */
  readonly early: ReadonlyMap<string, readonly number[]>;
  /** The last efforts, all of one key. */
  readonly recent: { readonly of: string; readonly efforts: readonly number[] };
  /** The reason for which the device is spared; null: none. */
  readonly cause: StrainCause | null;
}

export const calm: Strain = { early: new Map(), recent: { of: '', efforts: [] }, cause: null };

/** First efforts to ignore: shaders are compiled, memory grows. */
const WARM_UP = 2;
const EARLY = 8;
const RECENT = 6;
/** Ratio well above the variation between rounds. */
const WELL_ABOVE = 1.6;

/** Records an effort. While the device is spared, its efforts are no measure of its own speed. */
export function noteEffort(strain: Strain, { of, millisecondsPerExample }: Effort): Strain {
  if (strain.cause !== null) return strain;
  const first = strain.early.get(of) ?? [];
  if (first.length < WARM_UP + EARLY)
    return { ...strain, early: new Map(strain.early).set(of, [...first, millisecondsPerExample]) };
  const before = strain.recent.of === of ? strain.recent.efforts : [];
  const efforts = [...before, millisecondsPerExample].slice(-RECENT);
  const slower = efforts.length === RECENT && median(efforts) > WELL_ABOVE * median(first.slice(WARM_UP));
  return slower ? spare(strain, 'slower') : { ...strain, recent: { of, efforts } };
}

export function spare(strain: Strain, cause: StrainCause): Strain {
  return { ...strain, recent: calm.recent, cause };
}

/** Ends the sparing; efforts are recorded again from here on. */
export function ease(strain: Strain): Strain {
  return { ...strain, cause: null };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
