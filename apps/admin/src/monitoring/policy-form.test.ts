import { type Policy, parsePolicy } from '@coppice/continuity';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  applies,
  fieldNamed,
  formOf,
  type NumberName,
  numberFields,
  readForm,
  storedPolicy,
} from './policy-form.ts';

const policy: Policy = {
  version: 1,
  periodMilliseconds: 6 * 3_600_000,
  watch: { kind: 'watch', threshold: 0.25, every: 200, fewest: 7, minimum: 30 },
  privacy: { rho: 0.01, epsilon: 4, delta: 1e-6 },
  trigger: {
    kind: 'trigger',
    drift: { raise: 3, clear: 4 },
    schedule: '0 3 * * 1',
    newExamples: 5000,
    floor: { error: 0.07, raise: 2 },
    stall: 5,
    coolDown: 9,
    budget: { periods: 60, rounds: 400, bytes: 2_500_000_000, deviceSeconds: 5400, epsilon: null },
  },
  plan: { rounds: 40, window: 14, learningRate: null },
  gate: { kind: 'gate', alpha: 0.05, older: 0.02, worst: 0.07, fewest: 25 },
  canary: {
    kind: 'canary',
    share: 0.15,
    alpha: 0.01,
    silence: 0.002,
    participants: 500,
    margin: 0.03,
    periods: 10,
  },
};

const read = (form = formOf(policy), rounds = 40) => readForm(form, policy.plan, rounds);
const withNumber = (name: NumberName, text: string) => {
  const form = formOf(policy);
  return { ...form, numbers: { ...form.numbers, [name]: text } };
};

it('gives a policy back as it was, with every part and with none', () => {
  expect(read()).toEqual({ policy, problems: new Map() });
  const plain: Policy = { ...policy, privacy: null, trigger: null, gate: null, canary: null };
  expect(read(formOf(plain)).policy).toEqual(plain);
  const driftAlone: Policy = {
    ...policy,
    trigger: {
      kind: 'trigger',
      drift: { raise: 1, clear: 1 },
      schedule: null,
      newExamples: null,
      floor: null,
      coolDown: 1,
      budget: { periods: 1, rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    },
  };
  expect(read(formOf(driftAlone)).policy).toEqual(driftAlone);
  const recentAlone: Policy = { ...policy, gate: { ...policy.gate, older: null } as Policy['gate'] };
  expect(read(formOf(recentAlone)).policy).toEqual(recentAlone);
  const since = { ...policy, sinceAlarm: true };
  expect(read(formOf(since)).policy).toEqual(since);
});

it('shows percents, megabytes, minutes and the largest whole unit of the period', () => {
  const { numbers, unit } = formOf(policy);
  expect([numbers.period, unit]).toEqual(['6', 'hour']);
  expect(numbers['trigger.floor.error']).toBe('7');
  expect(numbers['trigger.budget.bytes']).toBe('2500');
  expect(numbers['trigger.budget.deviceSeconds']).toBe('90');
  expect(numbers['trigger.budget.epsilon']).toBe('');
  expect(numbers['privacy.delta']).toBe('0.000001');
});

it('begins switched off, and proposes a policy that the coordinator accepts', () => {
  const fresh = formOf(null);
  expect(fresh.on.watch).toBe(false);
  expect(readForm(fresh, {}, 30)).toEqual({ policy: null, problems: new Map() });
  const { policy: proposed } = readForm({ ...fresh, on: { ...fresh.on, watch: true } }, {}, 30);
  expect(proposed?.trigger).toBeNull();
  const all = {
    ...fresh,
    on: { ...fresh.on, watch: true, trigger: true, privacy: true, 'trigger.floor': true },
  };
  const { policy: whole, problems } = readForm(all, {}, 30);
  expect([...problems]).toEqual([]);
  const cost = { rounds: 30, bytes: null, deviceSeconds: null, epsilon: null };
  expect(parsePolicy(whole, cost).refusal).toBeNull();
});

it('keeps proposed values of parts that are off, so that they can be switched on', () => {
  const form = formOf({ ...policy, gate: null, trigger: null });
  expect(form.on.gate).toBe(false);
  expect(form.numbers['gate.alpha']).toBe('5');
  expect(form.numbers['trigger.budget.rounds']).toBe('200');
  expect(applies('gate.alpha', form)).toBe(false);
  expect(applies('canary.alpha', form)).toBe(true);
  const { gate } = policy;
  const recentAlone = formOf({ ...policy, gate: gate && { ...gate, older: null } });
  expect([applies('gate.older', recentAlone), applies('gate.worst', recentAlone)]).toEqual([false, true]);
  const again = { ...recentAlone, on: { ...recentAlone.on, 'gate.older': true } };
  expect(read(again).policy?.gate?.older).toBe(0.02);
});

it.each([
  ['watch.threshold', '', { kind: 'missing' }],
  ['watch.threshold', 'a', { kind: 'not-a-number' }],
  ['watch.threshold', '0', { kind: 'range-above', min: 0, max: 10 }],
  ['watch.fewest', '2.5', { kind: 'not-whole' }],
  ['canary.share', '51', { kind: 'range-above', min: 0, max: 50 }],
  ['gate.fewest', '4', { kind: 'range', min: 5, max: 100_000 }],
  ['trigger.budget.rounds', '39', { kind: 'below-cost', cost: 40 }],
] as const)('finds the problem of %s with "%s"', (name, text, problem) => {
  const { policy: none, problems } = read(withNumber(name, text));
  expect(none).toBeNull();
  expect([...problems]).toEqual([[name, problem]]);
});

it.each([
  ['daily', 'no-schedule'],
  ['0 0 30 2 *', 'never-due'],
  ['* * * * *', 'too-often'],
] as const)('refuses the schedule %s', (schedule, kind) => {
  expect([...read({ ...formOf(policy), schedule }).problems]).toEqual([['trigger.schedule', { kind }]]);
});

it('refuses a trigger without a cause', () => {
  const form = formOf(policy);
  const { problems } = read({
    ...form,
    on: { ...form.on, 'trigger.drift': false, 'trigger.floor': false },
    schedule: ' ',
    numbers: { ...form.numbers, 'trigger.newExamples': '' },
  });
  expect([...problems.values()]).toEqual([{ kind: 'no-cause' }]);
});

it('refuses at a field whatever the coordinator would, for any text in any field', () => {
  const name = fc.constantFrom(...(Object.keys(numberFields) as NumberName[]));
  const text = fc.oneof(fc.double().map(String), fc.integer().map(String), fc.string({ maxLength: 6 }));
  fc.assert(
    fc.property(name, text, (field, value) => {
      const { policy: given, problems } = read(withNumber(field, value));
      const cost = { rounds: 40, bytes: null, deviceSeconds: null, epsilon: null };
      if (given === null) expect(problems.size).toBeGreaterThan(0);
      else expect(parsePolicy(given, cost).refusal).toBeNull();
    }),
  );
});

it('finds the field that a refusal names', () => {
  expect(fieldNamed('The policy is refused: "trigger.budget.rounds" could never …')).toBe(
    'trigger.budget.rounds',
  );
  expect(fieldNamed('periodMilliseconds: too small')).toBe('period');
  expect(fieldNamed('something else')).toBeNull();
});

it('reads no policy of another version', () => {
  expect(storedPolicy(policy)).toEqual(policy);
  expect(storedPolicy({ ...policy, version: 2 })).toBeNull();
  expect(storedPolicy(null)).toBeNull();
});
