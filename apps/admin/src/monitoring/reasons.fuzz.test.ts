import { decide, type GateEvidence } from '@coppice/continuity';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { causesOf, fewerOf, gateReasonsOf, guardsOf, isHeldByQuality } from './reasons.ts';

const none = { clusters: 0, examples: 0, sum: 0, sumSquares: 0, products: 0, sizeSquares: 0 };

it('reads the reasons that the rules give', () => {
  const trigger = decide(
    {
      kind: 'trigger',
      drift: { raise: 1, clear: 1 },
      schedule: '0 3 * * *',
      newExamples: 10,
      floor: { error: 0.1, raise: 1 },
      coolDown: 1,
      budget: { periods: 1, rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    },
    {
      period: 4,
      newest: 4,
      verdicts: [{ period: 4, drift: true, quality: true, errors: [0.2, 0.4] }],
      now: 86_400_000,
      lookedAt: 0,
      newExamples: 20,
      byHand: true,
      running: true,
      last: null,
      spent: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
      cost: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    },
  ).why;
  expect(causesOf(trigger).map(({ cause }) => cause)).toEqual([
    'by-hand',
    'drift',
    'floor',
    'schedule',
    'new-examples',
  ]);
  const evidence: GateEvidence = {
    candidate: 1,
    participants: 3,
    noise: 0,
    recent: none,
    discordant: { won: 0, lost: 0 },
    older: { ...none, clusters: 1, examples: 1 },
    classes: [none],
    accuracies: { production: [1, 2], candidate: [1, 2] },
  };
  const gate = decide({ kind: 'gate', alpha: 0.05, older: 0.02, worst: 0.05, fewest: 5 }, evidence).why;
  expect(gateReasonsOf(gate)).toEqual(gate);
  expect(gate).toHaveLength(5);
  const broken = decide(
    { kind: 'canary', alpha: 0.05, participants: 100, margin: 0.02, periods: 5 },
    { guards: [], looks: [], periods: 1, dataQuality: true, noise: 0 },
  ).why;
  expect(isHeldByQuality(broken)).toBe(true);
  expect([guardsOf(broken), fewerOf(broken)]).toEqual([[], null]);
  const present = { clusters: 30, examples: 30, sum: 6, sumSquares: 6, products: 6, sizeSquares: 30 };
  const silent = decide(
    { kind: 'canary', alpha: 0.05, participants: 100, margin: 0.02, periods: 5 },
    {
      guards: [{ name: 'error', canary: none, control: present }],
      looks: [],
      periods: 1,
      dataQuality: false,
      noise: 0,
    },
  ).why;
  expect(fewerOf(silent)).toMatchObject({
    canary: 0,
    control: 30,
    p: expect.closeTo(0.5 ** 30, 20),
    bound: 0.005,
  });
  expect(guardsOf(silent)).toHaveLength(1);
  const guard = { guard: 'error', outcome: 'better', difference: -0.1, z: -3, bound: 2 };
  expect(guardsOf([guard, { ...guard, outcome: 'unsure' }])).toEqual([guard]);
});

it('takes any JSON, and leaves out what is no reason', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (reasons) => {
      for (const read of [causesOf, gateReasonsOf, guardsOf])
        for (const reason of read(reasons)) expect(reasons).toContain(reason);
      expect(typeof isHeldByQuality(reasons)).toBe('boolean');
      expect([null, ...reasons]).toContain(fewerOf(reasons));
    }),
  );
  expect(fewerOf([{ hindrance: 'fewer-participants', canary: 3, control: 20, p: 'small' }])).toBeNull();
  expect(causesOf([{ cause: 'toString' }, { cause: 'drift' }, { cause: 'drift', periods: 'two' }])).toEqual(
    [],
  );
});
