import type { PlayedPeriod } from './play.ts';
import { type Change, lastPeriods, newFrom, type Scenario } from './scenario.ts';

/** Shares of new examples that were predicted right. */
export interface AccuracyFigures {
  /** Mean of the periods before the last change; where nothing changes, of all but the last periods. */
  readonly before: number;
  /** The worst period from then on. */
  readonly worst: number;
  /** Mean of the last sixth of the periods. */
  readonly after: number;
  /** On the same examples as `after`: of a model that was trained on the new data alone. */
  readonly newDataOnly: number;
}

/** What a scheme reached, and what it cost after the first release. */
export interface SchemeFigures {
  readonly accuracy: AccuracyFigures;
  /** Sent and received by all devices. */
  readonly bytes: number;
  readonly rounds: number;
  /** Seconds of computing on all devices, by the work of training. */
  readonly deviceSeconds: number;
}

/** The last line of `--json`. Scripts read it; a key is never renamed. */
export interface ScenarioEvent extends SchemeFigures {
  readonly event: 'scenario';
  readonly name: string;
  /** Changes that the script made, faults of data among them. */
  readonly drifts: number;
  /** Those that an alarm followed while they lasted. */
  readonly noticed: number;
  /** Of each noticed one, periods from its beginning to the end of the period with the alarm: 2 is the least, since a period's reports are judged at the end of the next. */
  readonly delayPeriods: readonly number[];
  /**
   * Periods with an alarm of drift or data quality while nothing had changed, and the number of such periods with a verdict.
   * Errors above the floor are told as they are, and never false.
   */
  readonly falseAlarms: number;
  readonly quietPeriods: number;
  readonly releases: number;
  readonly rollbacks: number;
  readonly baselines: { readonly never: SchemeFigures; readonly fixed: SchemeFigures };
}

/** A scenario as it was played in three ways. */
export interface Played {
  readonly loop: readonly PlayedPeriod[];
  readonly never: readonly PlayedPeriod[];
  readonly fixed: readonly PlayedPeriod[];
  readonly newDataOnly: number;
}

export function figuresOf(
  scenario: Pick<Scenario, 'name' | 'changes' | 'size'>,
  played: Played,
): ScenarioEvent {
  const { name, changes } = scenario;
  const figures = (periods: readonly PlayedPeriod[]): SchemeFigures => ({
    accuracy: accuracyOf(scenario, periods, played.newDataOnly),
    bytes: total(periods, ({ bytes }) => bytes),
    rounds: total(periods, ({ rounds }) => rounds),
    deviceSeconds: rounded(total(periods, ({ deviceSeconds }) => deviceSeconds)),
  });
  const { loop } = played;
  const delays = changes.flatMap((change) => delayOf(change, loop) ?? []);
  const quiet = loop.filter(({ period, verdict }) => verdict !== null && isQuiet(period, changes, loop));
  const { accuracy, bytes, rounds, deviceSeconds } = figures(loop);
  return {
    event: 'scenario',
    name,
    drifts: changes.length,
    noticed: delays.length,
    delayPeriods: delays,
    falseAlarms: quiet.filter(({ verdict }) => verdict?.drift || verdict?.quality).length,
    quietPeriods: quiet.length,
    accuracy,
    bytes,
    rounds,
    deviceSeconds,
    releases: total(loop, ({ releases }) => releases),
    rollbacks: total(loop, ({ rollbacks }) => rollbacks),
    baselines: { never: figures(played.never), fixed: figures(played.fixed) },
  };
}

/** The mean accuracy over all periods. */
export function meanAccuracy(periods: readonly PlayedPeriod[]): number {
  return rounded(total(periods, ({ accuracy }) => accuracy) / periods.length);
}

function isAlarm({ verdict }: Pick<PlayedPeriod, 'verdict'>): boolean {
  return verdict !== null && (verdict.drift || verdict.quality || verdict.floor);
}

function delayOf({ period: from, until, kind }: Change, loop: readonly PlayedPeriod[]): number | null {
  const noticed = loop.find(
    (one) =>
      one.period > from &&
      one.period <= (until ?? one.period) + 1 &&
      (kind === 'fault' ? one.verdict?.quality === true : isAlarm(one)),
  );
  return noticed === undefined ? null : noticed.period - from + 1;
}

/**
 * True for a period whose verdict is on data like those of the release in production. A verdict is on the reports of the
 * period before: on new data from the period after a change, on old ones again from the second after its end, or after the
 * release that answered it.
 */
function isQuiet(period: number, changes: readonly Change[], loop: readonly PlayedPeriod[]): boolean {
  return changes.every(({ period: from, until, kind }) => {
    if (period <= from) return true;
    if (kind === 'fault') return until !== null && period > until + 1;
    const answered = loop.find((one) => one.period >= from && one.releases > 0);
    return answered !== undefined && period > answered.period + 1;
  });
}

function accuracyOf(
  scenario: Pick<Scenario, 'changes' | 'size'>,
  periods: readonly PlayedPeriod[],
  newDataOnly: number,
): AccuracyFigures {
  const last = lastPeriods(scenario.size);
  const changed = scenario.changes.length > 0 ? newFrom(scenario) : scenario.size.periods - last + 1;
  const [before, since] = [periods.slice(0, changed - 1), periods.slice(changed - 1)];
  return {
    before: meanAccuracy(before),
    worst: rounded(Math.min(...since.map(({ accuracy }) => accuracy))),
    after: meanAccuracy(periods.slice(-last)),
    newDataOnly: rounded(newDataOnly),
  };
}

function total(periods: readonly PlayedPeriod[], of: (period: PlayedPeriod) => number): number {
  return periods.reduce((sum, period) => sum + of(period), 0);
}

/** Six decimals: sums of floats end in noise. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
