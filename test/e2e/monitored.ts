import { identityOf, type Policy, type Reference } from '@coppice/continuity';
import type { Coordinator } from '@coppice/coordinator';
import type { WatchedPeriod } from '@coppice/protocol';

/* What a task has that was watched for a while: a policy, periods, and firings of its trigger. */

const DAY = 86_400_000;
const BINS = 10;

/** A policy with every part. */
export const wholePolicy: Policy = {
  version: 1,
  periodMilliseconds: DAY,
  watch: { kind: 'watch', threshold: 0.1, every: 100, fewest: 5, minimum: 20 },
  privacy: null,
  trigger: {
    kind: 'trigger',
    drift: { raise: 2, clear: 2 },
    schedule: null,
    newExamples: null,
    floor: { error: 0.2, raise: 2 },
    coolDown: 7,
    budget: { periods: 30, rounds: 200, bytes: null, deviceSeconds: 36_000, epsilon: null },
  },
  plan: { rounds: 2, minParticipants: 2 },
  gate: { kind: 'gate', alpha: 0.05, older: 0.02, worst: 0.05, fewest: 20 },
  canary: { kind: 'canary', share: 0.1, alpha: 0.05, participants: 200, margin: 0.02, periods: 14 },
};

/** A number in [0, 1) that follows from its place alone. */
function drawn(place: number): number {
  const x = Math.sin(place * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
}

function sharesOf(place: number, slope = 0): number[] {
  const raw = Array.from({ length: BINS }, (_, bin) => 0.8 + 0.4 * drawn(place * 31 + bin) + slope * bin);
  const sum = raw.reduce((total, one) => total + one);
  return raw.map((one) => one / sum);
}

/** The reference of the periods: the first column has a mean of 3.1, and half of the labels are of the first class. */
export function referenceOfPeriods(columns: readonly string[]): Reference {
  const known = { variances: [], within: 0, participants: 40 };
  const spread = (shares: number[]) => ({ ...known, shares, variances: shares.map(() => 0) });
  const rate = { share: 0.01, variance: 0, within: 0, participants: 40 };
  const edges = Array.from({ length: BINS - 1 }, (_, i) => 2 + i / 4);
  return {
    version: 1,
    recipe: 'ab'.repeat(32),
    columns: columns.map((name, i) => ({
      kind: 'number',
      name,
      edges,
      range: null,
      span: [0, 6],
      spread: spread(sharesOf(i)),
      missing: rate,
      outside: rate,
      moment: { mean: 3.1 + i, deviation: 0.4, participants: 40 },
    })),
    prediction: { kind: 'class', classes: 3, spread: spread([0.33, 0.33, 0.34]) },
    confidence: { edges, spread: spread(sharesOf(5)) },
    labels: { spread: spread([0.5, 0.3, 0.2]) },
    participants: 40,
    examples: 4000,
  };
}

/** A period of iris. `columns` are its columns' names; `drifted` those with an alarm; `broken`: a column with missing values. */
export function periodOf(
  period: number,
  {
    columns,
    drifted = [],
    broken,
    now,
  }: {
    columns: readonly string[];
    drifted?: readonly string[];
    broken?: string | undefined;
    /** The end of period 0. */
    now: number;
  },
): WatchedPeriod {
  const shift = (effect: number) => ({
    effect,
    interval: [Math.max(0, effect - 0.03), effect + 0.04] as [number, number],
    p: effect > 0.1 ? 1e-6 : 0.5,
    effective: 900.5,
    bound: 0.1,
    participants: 40,
  });
  const results = [
    ...columns.map((name) => ({ role: 'input' as const, name })),
    { role: 'prediction' as const, name: '' },
    { role: 'confidence' as const, name: '' },
  ].map(({ role, name }, i) => {
    const alarm = role === 'input' && drifted.includes(name);
    const effect = alarm ? 0.25 + 0.2 * drawn(period + i) : 0.06 * drawn(period * 101 + i) - 0.01;
    const [reference, current] =
      role === 'prediction'
        ? [
            [0.33, 0.33, 0.34],
            [0.36, 0.33, 0.31],
          ]
        : [sharesOf(i), sharesOf(i + period, alarm ? 0.4 : 0)];
    return {
      role,
      name,
      ...shift(effect),
      alarm,
      adjusted: alarm ? 0.000_02 : 0.7,
      distance: role === 'prediction' ? null : 0.1 + 0.1 * drawn(i),
      reference,
      current,
    };
  });
  const quality = columns.map((name, i) => ({
    name,
    fault: 'missing' as const,
    ...shift(name === broken ? 0.8 : 0.01 * drawn(period + i)),
    alarm: name === broken,
    reference: 0.01,
    current: name === broken ? 0.34 : 0.012,
  }));
  const worstFirst = <T extends { alarm: boolean; effect: number }>(all: readonly T[]) =>
    all.toSorted((a, b) => Number(b.alarm) - Number(a.alarm) || b.effect - a.effect);
  const rate = 0.06 + 0.02 * drawn(period) + (drifted.length > 0 ? 0.15 : 0);
  return {
    task: 'iris',
    period,
    reference: identityOf(referenceOfPeriods(columns)),
    release: 1,
    noise: 0,
    startedAt: now + (period - 1) * DAY,
    endedAt: now + period * DAY,
    reports: 40,
    sums: {
      shares: Array.from({ length: BINS * columns.length }, (_, i) => 40 * drawn(i)),
      squares: Array.from({ length: BINS * columns.length }, (_, i) => 40 * drawn(i)),
    },
    verdict: {
      participants: 40,
      observations: 4000 + Math.floor(1000 * drawn(period)),
      drift: {
        alarm: drifted.length > 0,
        tested: results.length,
        suppressed: 2,
        results: worstFirst(results),
      },
      quality: {
        alarm: broken !== undefined,
        tested: quality.length,
        suppressed: 0,
        results: worstFirst(quality),
      },
      errors: {
        rate,
        interval: [rate - 0.02, rate + 0.02],
        participants: 31,
        warned: drifted.length > 0 ? 0.4 : 0,
      },
    },
  };
}

/** Stores three firings of iris: of one the canary fell silent, the next candidate was refused, and the last one released. */
export async function storeFirings(coordinator: Coordinator, run: string, period: number): Promise<void> {
  const { storage } = coordinator;
  const now = Date.now();
  const base = {
    task: 'iris',
    policy: 1,
    rules: wholePolicy,
    secret: 'a-secret-of-the-canary',
    since: 0,
    isNamed: true,
    hash: 'cd'.repeat(32),
    comparisons: 1,
    looked: -1,
    canarySince: null,
    waitsSince: null,
    ending: null,
    basis: { sequence: 1, hash: 'ab'.repeat(32) },
    production: `${run}/1`,
    run,
    candidate: `${run}/2`,
    state: 'ended',
    spent: { rounds: 20, bytes: 48_000_000, deviceSeconds: 5400, epsilon: null },
  } as const;
  const check = (
    check: string,
    outcome: string,
    [difference, value, bound]: (number | null)[],
    index?: number,
  ) => ({
    check,
    outcome,
    difference: difference ?? null,
    value: value ?? null,
    bound: bound ?? 0,
    ...(index === undefined ? {} : { index }),
  });
  const classes = [0, 1, 2].map((index) => check('class', 'passed', [0.02 * index, 0.05, 0], index));
  await storage.addFiring({
    ...base,
    at: now - 60 * DAY,
    period: period - 60,
    causes: [{ cause: 'by-hand' }],
    comparison: null,
    canary: {
      sequence: 2,
      startedAt: now - 59 * DAY,
      looks: [0.4, 1],
      participants: { canary: 78, control: 126 },
      decision: 'roll-back',
      reasons: [
        { guard: 'error', outcome: 'no-worse', difference: -0.004, z: -0.31, bound: 1.96 },
        { hindrance: 'fewer-participants', canary: 78, control: 126, p: 0.000_485, bound: 0.005 },
      ],
    },
    outcome: 'rolled-back',
    endedAt: now - 57 * DAY,
    release: null,
  });
  await storage.addFiring({
    ...base,
    at: now - 20 * DAY,
    period: period - 20,
    causes: [{ cause: 'schedule', due: now - 20 * DAY }],
    comparison: {
      startedAt: now - 19 * DAY,
      candidate: 1,
      participants: 64,
      decision: 'refuse',
      reasons: [
        check('recent', 'failed', [-0.004, -0.021, 0]),
        check('discordant', 'failed', [-0.004, 1, 0.0304]),
        check('older', 'passed', [0.001, -0.012, -0.02]),
        ...classes,
        check('worst-tenth', 'unknown', [null, null, -0.05]),
      ],
    },
    canary: null,
    outcome: 'refused',
    endedAt: now - 19 * DAY,
    release: null,
  });
  await storage.addFiring({
    ...base,
    at: now - 2 * DAY,
    period,
    causes: [
      { cause: 'drift', periods: 2 },
      { cause: 'floor', error: 0.21 },
    ],
    comparison: {
      startedAt: now - 1.5 * DAY,
      candidate: 2,
      participants: 71,
      decision: 'accept',
      reasons: [
        check('recent', 'passed', [0.142, 0.087, 0]),
        check('discordant', 'passed', [0.142, 0.000_21, 0.0076]),
        check('older', 'passed', [0.004, -0.008, -0.02]),
        ...classes,
        check('worst-tenth', 'passed', [0.05, 0.05, -0.05]),
      ],
    },
    canary: {
      sequence: 3,
      startedAt: now - DAY,
      looks: [0.31, 0.64, 1],
      participants: { canary: 104, control: 98 },
      decision: 'promote',
      reasons: [{ guard: 'error', outcome: 'better', difference: -0.11, z: -4.21, bound: 2.02 }],
    },
    outcome: 'released',
    endedAt: now - DAY / 2,
    release: 4,
  });
}
