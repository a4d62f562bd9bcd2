import type { Watched } from '../reference/binning.ts';
import { watchedOf } from '../reference/binning.ts';
import { type Rate, type Reference, type Spread, spreadsOf } from '../reference/reference.ts';
import { MAX_OBSERVATIONS } from '../report/layout.ts';
import { countOf, errorRateOf, groupRatesOf, rateOf, type Sums, spreadOf } from '../report/sums.ts';
import { defaultWatch, type WatchRule } from '../rules/watch.ts';
import { tUpperQuantile } from '../statistics/distributions.ts';
import { binnedKolmogorovSmirnov } from '../statistics/histograms.ts';
import { benjaminiHochberg } from '../statistics/multiple-testing.ts';
import { type AlarmBounds, alarmLevel } from './alarm-bounds.ts';
import { LARGEST_FORM, type Shift, shiftOf } from './shift.ts';

/** Settings of a task's verdicts, and the noise of the sum that is judged. */
export interface VerdictOptions extends Partial<Pick<WatchRule, 'threshold' | 'every' | 'fewest'>> {
  /** The variance of the noise that was added to each number of the sum. Default: 0. */
  readonly noise?: number;
}

/** A shift of one histogram. */
export interface HistogramVerdict extends Pick<Shift, 'effect' | 'interval' | 'p' | 'effective'> {
  readonly role: Watched['role'];
  readonly name: string;
  /** The p-value adjusted for all histograms tested in this period (Benjamini and Hochberg). */
  readonly adjusted: number;
  /** The effect above which there is an alarm: the threshold, or more where chance alone reaches it. */
  readonly bound: number;
  readonly alarm: boolean;
  /** The largest difference of cumulative shares, where bins have an order. */
  readonly distance: number | null;
  readonly reference: readonly number[];
  readonly current: readonly number[];
  readonly participants: number;
}

/** A share of bad values that was tested against the reference's. */
export interface QualityVerdict extends Pick<Shift, 'effect' | 'interval' | 'p' | 'effective'> {
  readonly name: string;
  /** `missing`: no value. `outside`: beyond the plausible range. `other`: a category that the task does not list. */
  readonly fault: 'missing' | 'outside' | 'other';
  readonly reference: number;
  readonly current: number;
  readonly bound: number;
  readonly alarm: boolean;
  readonly participants: number;
}

/** A verdict over several tests. */
export interface Tested<T> {
  /** True where any of them has an alarm. */
  readonly alarm: boolean;
  /** The number of tests that the promise of one false alarm is shared by. */
  readonly tested: number;
  /** Tests left out: too few participants, fewer than two examples a bin, or chance could reach any shift. */
  readonly suppressed: number;
  /** The worst first: alarms, then by p-value. */
  readonly results: readonly T[];
}

/** Errors of predictions whose outcomes came. */
export interface ErrorVerdict {
  readonly rate: number;
  /** With 95 %, participants as clusters. */
  readonly interval: readonly [number, number];
  readonly participants: number;
  /** The share of these participants on whose device a detector warned. */
  readonly warned: number;
}

/** Errors of the predictions of one group. */
export interface GroupVerdict extends Omit<ErrorVerdict, 'warned'> {
  /** The index of the column's value; the number of values: any other value. */
  readonly value: number;
}

export interface Verdict {
  readonly participants: number;
  readonly observations: number;
  readonly drift: Tested<HistogramVerdict>;
  /** An alarm here says that the data are broken: it blocks training. */
  readonly quality: Tested<QualityVerdict>;
  /** `null` where too few participants have outcomes. */
  readonly errors: ErrorVerdict | null;
  /** Groups with enough participants, the worst first. Left out where the task declares none. */
  readonly groups?: readonly GroupVerdict[];
}

/**
 * Judges the summed reports of one period. The verdict depends on the sums alone, so that it is the same however they were made
 * up.
 *
 * In slices, as bounds that were not needed before are simulated: each `next` runs one.
 */
export function* judge(
  sums: Sums,
  reference: Reference,
  bounds: AlarmBounds,
  options: VerdictOptions = {},
): Generator<undefined, Verdict, undefined> {
  const { threshold, every, fewest, noise } = { ...defaultWatch, noise: 0, ...options };
  const enough = (before: Participants, now: Participants) =>
    Math.min(before.participants, now.participants) >= Math.max(2, fewest);

  const before = spreadsOf(reference);
  const watched = watchedOf(reference).map((one, i) => ({
    one,
    before: before[i] as Spread,
    now: spreadOf(sums, one, i, noise),
  }));
  const tests = watched
    .filter(({ before, now }) => enough(before, now))
    .map((one) => ({ ...one, shift: shiftOf(one.before, one.now, noise) }))
    .filter(({ shift }) => !shift.sparse);
  const shown = yield* tellable(tests, { bounds, threshold, level: alarmLevel(tests.length, every) });
  const adjusted = benjaminiHochberg(shown.map(({ shift }) => shift.p));
  const histograms = shown.map(
    ({ one, before, now, shift, bound }, i): HistogramVerdict => ({
      role: one.role,
      name: one.name,
      ...told(shift),
      adjusted: adjusted[i] as number,
      bound,
      alarm: shift.effect > bound,
      distance: one.ordered ? binnedKolmogorovSmirnov(before.shares, now.shares) : null,
      reference: before.shares,
      current: now.shares,
      participants: now.participants,
    }),
  );

  const rates = ratesOf(sums, reference, noise);
  const rises = rates
    .filter(({ before, now }) => enough(before, now))
    .map((one) => ({ ...one, shift: shiftOf(asSpread(one.before), asSpread(one.now), noise) }));
  // Chance makes a share larger as often as smaller, and only one of both is an alarm.
  const shownRates = yield* tellable(rises, {
    bounds,
    threshold,
    level: 2 * alarmLevel(rises.length, every),
  });
  const quality = shownRates.map(
    ({ name, fault, before, now, shift, bound }): QualityVerdict => ({
      name,
      fault,
      ...told(shift),
      reference: before.share,
      current: now.share,
      bound,
      // Fewer bad values than there were break nothing.
      alarm: shift.effect > bound && now.share > before.share,
      participants: now.participants,
    }),
  );

  return {
    participants: countOf(sums, 'reports'),
    observations: countOf(sums, 'observations', MAX_OBSERVATIONS),
    drift: testedOf(histograms, watched.length),
    quality: testedOf(quality, rates.length),
    errors: errorsOf(sums, fewest, noise),
    ...(sums.has('group-present') ? { groups: groupVerdicts(sums, fewest, noise) } : {}),
  };
}

interface Participants {
  readonly participants: number;
}

/** Tests with the effect above which each has an alarm, without those in which no shift can be told from chance. */
function* tellable<T extends { readonly shift: Shift }>(
  tests: readonly T[],
  { bounds, threshold, level }: { bounds: AlarmBounds; threshold: number; level: number },
): Generator<undefined, (T & { readonly bound: number })[], undefined> {
  const told: (T & { readonly bound: number })[] = [];
  for (const test of tests) {
    const { shape, surplus } = test.shift;
    const chance = yield* bounds.of(shape, level);
    if (chance < LARGEST_FORM) told.push({ ...test, bound: Math.max(threshold, chance + surplus) });
  }
  return told;
}

function told({ effect, interval, p, effective }: Shift) {
  return { effect, interval, p, effective };
}

function testedOf<T extends { readonly alarm: boolean; readonly p: number; readonly effect: number }>(
  results: readonly T[],
  all: number,
): Tested<T> {
  return {
    alarm: results.some(({ alarm }) => alarm),
    tested: results.length,
    suppressed: all - results.length,
    results: results.toSorted(
      (a, b) => Number(b.alarm) - Number(a.alarm) || a.p - b.p || b.effect - a.effect,
    ),
  };
}

/** The shares of bad values that can be tested: missing ones of any column, beyond a plausible range, and unknown categories. */
function ratesOf(sums: Sums, reference: Reference, noise: number) {
  const watched = watchedOf(reference);
  return reference.columns.flatMap((column, i) => {
    const { name, missing, outside, spread } = column;
    const of = (fault: QualityVerdict['fault'], before: Rate, now: Rate) => ({ name, fault, before, now });
    const rates = [of('missing', missing, rateOf(sums, 'missing', i, noise))];
    if (column.kind === 'number')
      return column.range === null
        ? rates
        : [...rates, of('outside', outside, rateOf(sums, 'outside', i, noise))];
    const now = spreadOf(sums, watched[i] as Watched, i, noise);
    return [...rates, of('other', lastOf(spread), lastOf(now))];
  });
}

/** The share of a histogram's last bin. */
function lastOf({ shares, variances, within, participants }: Spread): Rate {
  return { share: shares.at(-1) ?? 0, variance: variances.at(-1) ?? 0, within, participants };
}

/** A share and its rest, as a histogram of two bins. */
function asSpread({ share, variance, ...rest }: Rate): Spread {
  return { ...rest, shares: [share, 1 - share], variances: [variance, variance] };
}

function errorsOf(sums: Sums, fewest: number, noise: number): ErrorVerdict | null {
  const known = knownRate(errorRateOf(sums, noise), fewest, noise);
  if (known === null) return null;
  return { ...known, warned: within((sums.get('warned')?.[0] ?? 0) / known.participants) };
}

function groupVerdicts(sums: Sums, fewest: number, noise: number): GroupVerdict[] {
  return groupRatesOf(sums, noise)
    .flatMap((rate, value) => {
      const known = knownRate(rate, fewest, noise);
      return known === null ? [] : [{ value, ...known }];
    })
    .sort((a, b) => b.rate - a.rate);
}

/** A mean error with its interval; `null` where too few participants have one. */
function knownRate({ share: rate, variance, participants }: Rate, fewest: number, noise: number) {
  if (participants < Math.max(2, fewest)) return null;
  const error = Math.sqrt(variance + noise / participants ** 2);
  const half = tUpperQuantile(0.025, participants - 1) * error;
  const interval: readonly [number, number] = [within(rate - half), within(rate + half)];
  return { rate, interval, participants };
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}
