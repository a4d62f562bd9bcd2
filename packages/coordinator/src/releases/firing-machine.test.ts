import type { CanaryDecision, GateReason } from '@coppice/continuity';
import { describe, expect, it } from 'vitest';
import { newFiring, testPolicy } from '../storage/firing.testing.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { type FiringEvidence, MOST_COMPARISONS, next, type Step, stepOf } from './firing-machine.ts';

const at = (change: Partial<StoredFiring> = {}): StoredFiring => ({
  ...newFiring(),
  sequence: 4,
  revision: 9,
  ...change,
});

const hash = 'cd'.repeat(32);
const spent = { rounds: 2, bytes: 100, deviceSeconds: 3, epsilon: null };
const candidate = 'toy-2/2';
const comparison = { startedAt: 50, candidate: 1, participants: 0, decision: null, reasons: [] };
const canary = {
  sequence: 8,
  startedAt: 60,
  looks: [0.25],
  participants: { canary: 5, control: 5 },
  decision: null,
  reasons: [],
};
const trained = { run: 'toy-2', candidate, hash, spent };
const noGate = { ...testPolicy, gate: null };
const noCanary = { ...testPolicy, canary: null };

/** Every place in which a firing can be. */
const places = {
  launching: at(),
  training: at({ state: 'training', run: 'toy-2' }),
  'training, awaited': at({ state: 'training', run: 'toy-2', waitsSince: 70 }),
  unnamed: at({ ...trained, state: 'comparing' }),
  'unnamed, no gate': at({ ...trained, state: 'comparing', rules: noGate }),
  'unnamed, no rules': at({ ...trained, state: 'comparing', rules: { ...noGate, canary: null } }),
  comparing: at({ ...trained, state: 'comparing', isNamed: true, comparison, comparisons: 1 }),
  'comparing, no canary': at({
    ...trained,
    state: 'comparing',
    isNamed: true,
    comparison,
    comparisons: 1,
    rules: noCanary,
  }),
  'comparing for the last time': at({
    ...trained,
    state: 'comparing',
    isNamed: true,
    comparison,
    comparisons: MOST_COMPARISONS,
  }),
  unsure: at({
    ...trained,
    state: 'comparing',
    isNamed: true,
    comparison: { ...comparison, decision: 'wait' },
    comparisons: 2,
    looked: 11,
  }),
  'canary to begin': at({ ...trained, state: 'canary', isNamed: true }),
  canary: at({
    ...trained,
    state: 'canary',
    isNamed: true,
    canary,
    canarySince: 11,
    looked: 12,
  }),
  'to be released': at({ ...trained, state: 'canary', canary, ending: 'released' }),
  'to be released without a canary': at({ ...trained, state: 'comparing', ending: 'released' }),
  'to be refused': at({ ...trained, state: 'comparing', ending: 'refused' }),
  ended: at({ ...trained, state: 'ended', ending: 'refused', outcome: 'refused' }),
} as const;
type Place = keyof typeof places;

const why = [
  { check: 'recent', outcome: 'failed', difference: 0.1, value: 0.01, bound: 0 } satisfies GateReason,
];
const compared = (decision: 'accept' | 'refuse' | 'wait') =>
  ({ kind: 'compared', participants: 12, decision, reasons: why, spending: null }) as const;
const looked = (act: CanaryDecision['act'], look: number | null, period = 13) =>
  ({
    kind: 'looked',
    period,
    decision: { act, why: [{ hindrance: 'nothing-new' }], look },
    participants: { canary: 9, control: 8 },
  }) as const;
const judgedAs = (decision: 'accept' | 'refuse' | 'wait') => ({
  comparison: { ...comparison, participants: 12, decision, reasons: why },
});
const seenAs = (change: object) => ({
  canary: { ...canary, reasons: [{ hindrance: 'nothing-new' }], ...change },
  looked: 13,
});

const launched = { kind: 'launched', run: 'toy-2' } as const;
const finished = { kind: 'run-finished', candidate: { id: candidate, hash }, spent } as const;
const awaited = { kind: 'run-awaited', since: 80 } as const;
const held = { kind: 'run-awaited', since: null } as const;
const nothingMade = { kind: 'run-finished', candidate: null, spent } as const;
const named = { kind: 'named', at: 50, number: 3, period: 11 } as const;
const again = { kind: 'compare-again', period: 12 } as const;
const notLater = { kind: 'compare-again', period: 11 } as const;
const began = { kind: 'canary-began', at: 60, sequence: 8, period: 11 } as const;
const closed = { kind: 'closed', at: 99, release: 10, spent } as const;
const plain = (
  kind:
    | 'launch-refused'
    | 'budget-spent'
    | 'run-stalled'
    | 'run-paused'
    | 'run-ended'
    | 'overtaken'
    | 'move-refused'
    | 'candidate-unusable',
) => ({ kind }) as const;
const overtaken = [plain('overtaken'), { ending: 'overtaken' }] as const;
const unpaid = [plain('budget-spent'), { ending: 'budget-spent' }] as const;

const trainingEnds = [
  [finished, { state: 'comparing', candidate, hash, spent }],
  [nothingMade, { spent, ending: 'run-ended' }],
  [plain('run-stalled'), { ending: 'run-stalled' }],
  [plain('run-paused'), { ending: 'run-paused' }],
  [plain('run-ended'), { ending: 'run-ended' }],
  overtaken,
] as const;

/** What changes, by place and evidence. Pairs that are not here change nothing. */
const transitions: Record<Place, readonly (readonly [FiringEvidence, Partial<StoredFiring>])[]> = {
  launching: [
    [launched, { state: 'training', run: 'toy-2' }],
    [plain('launch-refused'), { ending: 'run-ended' }],
    unpaid,
    overtaken,
  ],
  training: [[awaited, { waitsSince: 80 }], ...trainingEnds],
  'training, awaited': [[awaited, { waitsSince: 80 }], [held, { waitsSince: null }], ...trainingEnds],
  unnamed: [
    [named, { isNamed: true, looked: 11, comparisons: 1, comparison: { ...comparison, candidate: 3 } }],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  'unnamed, no gate': [
    [named, { isNamed: true, state: 'canary' }],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  'unnamed, no rules': [
    [named, { isNamed: true, ending: 'released' }],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  comparing: [
    unpaid,
    [compared('accept'), { ...judgedAs('accept'), state: 'canary' }],
    [compared('refuse'), { ...judgedAs('refuse'), ending: 'refused' }],
    [compared('wait'), judgedAs('wait')],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  'comparing, no canary': [
    unpaid,
    [compared('accept'), { ...judgedAs('accept'), ending: 'released' }],
    [compared('refuse'), { ...judgedAs('refuse'), ending: 'refused' }],
    [compared('wait'), judgedAs('wait')],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  'comparing for the last time': [
    unpaid,
    [compared('accept'), { ...judgedAs('accept'), state: 'canary' }],
    [compared('refuse'), { ...judgedAs('refuse'), ending: 'refused' }],
    [compared('wait'), { ...judgedAs('wait'), ending: 'refused' }],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  unsure: [
    [again, { comparison, comparisons: 3, looked: 12 }],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
    overtaken,
  ],
  'canary to begin': [
    [
      began,
      {
        canary: { ...canary, looks: [], participants: { canary: 0, control: 0 } },
        canarySince: 11,
        looked: 11,
      },
    ],
    [plain('candidate-unusable'), { ending: 'rolled-back' }],
    overtaken,
  ],
  canary: [
    [looked('hold', 0.5), seenAs({ looks: [0.25, 0.5], participants: { canary: 9, control: 8 } })],
    [looked('hold', null), seenAs({})],
    [
      looked('promote', 1),
      {
        ...seenAs({
          looks: [0.25, 1],
          participants: { canary: 9, control: 8 },
          decision: 'promote',
        }),
        ending: 'released',
      },
    ],
    [
      looked('roll-back', 1),
      {
        ...seenAs({
          looks: [0.25, 1],
          participants: { canary: 9, control: 8 },
          decision: 'roll-back',
        }),
        ending: 'rolled-back',
      },
    ],
    [plain('candidate-unusable'), { ending: 'rolled-back' }],
    overtaken,
  ],
  'to be released': [
    [closed, { state: 'ended', outcome: 'released', endedAt: 99, release: 10 }],
    [plain('move-refused'), { ending: 'overtaken' }],
    [plain('candidate-unusable'), { ending: 'rolled-back' }],
  ],
  'to be released without a canary': [
    [closed, { state: 'ended', outcome: 'released', endedAt: 99, release: 10 }],
    [plain('move-refused'), { ending: 'overtaken' }],
    [plain('candidate-unusable'), { ending: 'run-ended' }],
  ],
  'to be refused': [[closed, { state: 'ended', outcome: 'refused', endedAt: 99, release: 10 }]],
  ended: [],
};

const allEvidence: readonly FiringEvidence[] = [
  launched,
  finished,
  awaited,
  held,
  nothingMade,
  named,
  began,
  closed,
  compared('accept'),
  compared('refuse'),
  compared('wait'),
  looked('hold', 0.5),
  looked('hold', null),
  looked('promote', 1),
  looked('roll-back', 1),
  looked('promote', 1, 12),
  plain('launch-refused'),
  plain('budget-spent'),
  plain('run-stalled'),
  plain('run-paused'),
  plain('run-ended'),
  again,
  notLater,
  plain('overtaken'),
  plain('move-refused'),
  plain('candidate-unusable'),
];

describe.each(Object.keys(places) as Place[])('a firing that is %s', (place) => {
  it.each(allEvidence.map((evidence) => [evidence.kind, evidence] as const))('by %s', (_, evidence) => {
    const found = transitions[place].find(([one]) => JSON.stringify(one) === JSON.stringify(evidence));
    const after = next(places[place], evidence);
    expect(after).toEqual(found === undefined ? null : { ...places[place], ...found[1] });
  });

  it('changes nothing twice by the same evidence', () => {
    for (const evidence of allEvidence) {
      const after = next(places[place], evidence);
      if (after !== null) expect(next(after, evidence)).toBeNull();
    }
  });
});

it('has a step in every place', () => {
  const steps: Record<Place, Step> = {
    launching: { step: 'launch' },
    training: { step: 'await-run', run: 'toy-2' },
    'training, awaited': { step: 'await-run', run: 'toy-2' },
    unnamed: { step: 'name', candidate },
    'unnamed, no gate': { step: 'name', candidate },
    'unnamed, no rules': { step: 'name', candidate },
    comparing: { step: 'compare', number: 10 },
    'comparing, no canary': { step: 'compare', number: 10 },
    'comparing for the last time': { step: 'compare', number: 12 },
    unsure: { step: 'await-period', of: 'comparison' },
    'canary to begin': { step: 'begin-canary', candidate },
    canary: { step: 'await-period', of: 'canary' },
    'to be released': { step: 'close', outcome: 'released' },
    'to be released without a canary': { step: 'close', outcome: 'released' },
    'to be refused': { step: 'close', outcome: 'refused' },
    ended: { step: 'none' },
  };
  for (const [place, step] of Object.entries(steps))
    expect(stepOf(places[place as Place]), place).toEqual(step);
});

it('gives every comparison of a task a number of its own, growing', () => {
  const numbers = [1, 2, 3].flatMap((sequence) =>
    [1, 2, 3].map((comparisons) => {
      const step = stepOf({ ...places.comparing, sequence, comparisons });
      return step.step === 'compare' ? step.number : null;
    }),
  );
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
