import { defaultWatch, type Policy } from '@coppice/continuity';
import type { NewFiring } from './firing-storage.ts';

/** A policy for tests: drift in a period launches two rounds, compared and then tried by a canary. */
export const testPolicy: Policy = {
  version: 1,
  periodMilliseconds: 3_600_000,
  watch: defaultWatch,
  privacy: null,
  trigger: {
    kind: 'trigger',
    drift: { raise: 1, clear: 1 },
    schedule: null,
    newExamples: null,
    floor: null,
    coolDown: 2,
    budget: { periods: 100, rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
  },
  plan: { rounds: 2 },
  gate: { kind: 'gate', alpha: 0.05, older: 0.05, worst: 0.1, fewest: 5 },
  canary: { kind: 'canary', alpha: 0.05, participants: 40, margin: 0.05, periods: 3, share: 0.2 },
};

/** A firing for tests: of the task `toy`, by drift, about to launch. */
export function newFiring(change: Partial<NewFiring> = {}): NewFiring {
  return {
    task: 'toy',
    at: 1_760_000_000_000,
    period: 7,
    causes: [{ cause: 'drift', periods: 1 }],
    policy: 3,
    production: 'toy-1/1',
    state: 'launching',
    run: null,
    candidate: null,
    comparison: null,
    canary: null,
    outcome: null,
    endedAt: null,
    release: null,
    spent: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    rules: testPolicy,
    secret: 'a-secret-of-a-firing',
    basis: { sequence: 1, hash: 'ab'.repeat(32) },
    since: 1_759_990_000_000,
    isNamed: false,
    hash: null,
    comparisons: 0,
    looked: -1,
    canarySince: null,
    waitsSince: null,
    ending: null,
    ...change,
  };
}
