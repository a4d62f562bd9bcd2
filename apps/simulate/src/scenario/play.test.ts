import {
  clickStream,
  clicks,
  machineStream,
  machines,
  permuteLabels,
  type StreamSize,
} from '@coppice/datasets';
import { describe, expect, it } from 'vitest';
import { newDataOnly } from './new-data-only.ts';
import { type PlayedPeriod, play } from './play.ts';
import { everyDevice, policyOf } from './policy.ts';
import type { Scenario } from './scenario.ts';
import { digitStream, digits } from './scenarios/digits.ts';
import { type SchemeName, schemes } from './schemes/index.ts';

/* Small scenarios over real sockets, with the coordinator's own clock moved by hand. */

const TIMEOUT = 120_000;
const size: StreamSize = { participants: 12, periods: 8, first: 100, each: 40 };
const canary = { participants: 12, margin: 0.1, periods: 2 };
const nothing = { rounds: 0, releases: 0, rollbacks: 0, refused: 0 };

const playWith = (scenario: Scenario, scheme: SchemeName) =>
  play(scenario, 1, (world) => schemes[scheme](world, scenario));
const sum = (periods: readonly PlayedPeriod[], of: keyof typeof nothing) =>
  periods.reduce((total, one) => total + one[of], 0);

/** Clicks of readers whose taste turns in period 3. */
const turning: Scenario = {
  name: 'turning',
  summary: 'Taste turns.',
  size,
  changes: [{ period: 3, until: null, kind: 'drift' }],
  stream: async (sizes, seed) =>
    clickStream({ ...sizes, seed, taste: (period) => (period < 3 ? 'usual' : 'turned') }),
  first: everyDevice(clicks, size, { rounds: 8, learningRate: 0.3 }),
  again: everyDevice(clicks, size, { rounds: 8, learningRate: 0.3, window: 2 }),
  every: 4,
  policies: [
    {
      period: 1,
      policy: policyOf({
        plan: everyDevice(clicks, size, { rounds: 8, learningRate: 0.3, window: 2 }),
        floor: { error: 0.3, raise: 1 },
        gate: false,
        // Either arm of twelve devices.
        fewest: 3,
        canary,
      }),
    },
  ],
};

describe('a change of taste', () => {
  it(
    'is noticed by the errors, answered by a release that a canary tried, and played to the same figures again',
    async () => {
      const [once, again] = [await playWith(turning, 'loop'), await playWith(turning, 'loop')];
      expect(again).toEqual(once);
      const alarm = once.find(({ verdict }) => verdict?.floor);
      expect(alarm?.period).toBe(4);
      expect(sum(once, 'releases')).toBeGreaterThanOrEqual(1);
      expect(sum(once, 'rollbacks')).toBe(0);
      const [before, worst, last] = [once[1], once[2], once.at(-1)].map((one) => one?.accuracy ?? 0) as [
        number,
        number,
        number,
      ];
      expect(before).toBeGreaterThan(0.75);
      expect(worst).toBeLessThan(0.4);
      expect(last).toBeGreaterThan(worst + 0.2);
    },
    TIMEOUT,
  );

  it(
    'is played without retraining and by a schedule on the same examples',
    async () => {
      const never = await playWith(turning, 'never');
      const fixed = await playWith(turning, 'fixed');
      expect(never.map((one) => sum([one], 'rounds'))).toEqual(never.map(() => 0));
      expect(never.reduce((bytes, one) => bytes + one.bytes, 0)).toBe(0);
      expect(fixed.map(({ rounds }) => rounds)).toEqual([0, 0, 0, 8, 0, 0, 0, 8]);
      expect(fixed.map(({ releases }) => releases)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
      // The first model is the same, and so is what it predicts until the schedule's first release.
      const accuracies = (periods: readonly PlayedPeriod[]) =>
        periods.slice(0, 4).map(({ accuracy }) => accuracy);
      expect(accuracies(fixed)).toEqual(accuracies(never));
      expect(fixed[4]?.accuracy).toBeGreaterThan((never[4]?.accuracy ?? 1) + 0.2);
    },
    TIMEOUT,
  );

  it(
    'leaves a model that is trained on the new data alone as good as one was before',
    async () => {
      expect(await newDataOnly(turning, 1)).toBeGreaterThan(0.75);
    },
    TIMEOUT,
  );
});

it(
  'watches pictures with the features that the model has of them',
  async () => {
    const sizes = { participants: 6, periods: 3, first: 30, each: 12 };
    const plan = everyDevice(digits, sizes, { rounds: 2 });
    const policy = policyOf({ plan, floor: { error: 0.99, raise: 1 }, canary });
    const periods = await playWith(
      {
        ...turning,
        size: sizes,
        changes: [],
        stream: (given, seed) => digitStream(given, seed, () => 0),
        first: plan,
        policies: [{ period: 1, policy }],
      },
      'loop',
    );
    expect(periods.map(({ verdict }) => verdict?.quality)).toEqual([undefined, false, false]);
    expect(periods.every(({ accuracy }) => accuracy > 0.2)).toBe(true);
  },
  TIMEOUT,
);

it(
  'releases a candidate without a canary as soon as the comparison accepts it',
  async () => {
    const sizes = { ...size, periods: 5, first: 150, each: 80 };
    const plan = everyDevice(clicks, sizes, { rounds: 10, learningRate: 0.3 });
    const policy = policyOf({ plan, drift: false, floor: { error: 0.3, raise: 2 }, canary: null });
    const periods = await playWith(
      {
        ...turning,
        size: sizes,
        changes: [],
        stream: async (given, seed) => clickStream({ ...given, seed, taste: () => 'usual' }),
        // It has learned next to nothing.
        first: everyDevice(clicks, sizes, { rounds: 1, learningRate: 0.01 }),
        policies: [{ period: 1, policy }],
      },
      'loop',
    );
    expect(periods.map(({ releases }) => releases)).toEqual([0, 0, 1, 0, 0]);
    expect(periods[3]?.accuracy).toBeGreaterThan((periods[2]?.accuracy ?? 1) + 0.2);
  },
  TIMEOUT,
);

it(
  'takes a broken sensor for a fault of the data, and trains nothing',
  async () => {
    const plan = everyDevice(machines, size, { rounds: 5 });
    const broken: Scenario = {
      ...turning,
      changes: [{ period: 3, until: null, kind: 'fault' }],
      stream: async (sizes, seed) =>
        machineStream({
          ...sizes,
          seed,
          fault: (period) => (period < 3 ? null : { column: 'pressure', share: 0.5 }),
        }),
      first: plan,
      again: plan,
      policies: [{ period: 1, policy: policyOf({ plan, floor: { error: 0.3, raise: 1 }, canary }) }],
    };
    const periods = await playWith(broken, 'loop');
    expect(periods.map(({ verdict }) => verdict?.quality)).toEqual([
      undefined,
      ...[false, false],
      ...[true, true, true, true, true],
    ]);
    for (const of of ['rounds', 'releases', 'rollbacks'] as const) expect(sum(periods, of)).toBe(0);
  },
  TIMEOUT,
);

it(
  'refuses a model of permuted labels at the gate and, without a gate, takes it back from the canary',
  async () => {
    const plan = everyDevice(clicks, size, { rounds: 6, learningRate: 0.3, window: 2 });
    const parts = { plan, drift: false, newExamples: 900, canary };
    const bad: Scenario = {
      ...turning,
      size: { ...size, periods: 9 },
      changes: [],
      stream: async (sizes, seed) => clickStream({ ...sizes, seed, taste: () => 'usual' }),
      stored: (examples) => permuteLabels(examples, 2, 'bad'),
      again: plan,
      policies: [
        { period: 1, policy: policyOf(parts) },
        { period: 5, policy: policyOf({ ...parts, gate: false }) },
      ],
    };
    const periods = await playWith(bad, 'loop');
    expect(sum(periods.slice(0, 5), 'refused')).toBe(1);
    expect(sum(periods, 'rollbacks')).toBe(1);
    expect(sum(periods, 'releases')).toBe(0);
  },
  TIMEOUT,
);
