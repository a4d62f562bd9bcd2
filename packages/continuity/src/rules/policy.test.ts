import { expect, it } from 'vitest';
import { type Policy, parsePolicy } from './policy.ts';
import { defaultWatch } from './watch.ts';

const DAY = 24 * 3600 * 1000;
const cost = { rounds: 10, bytes: null, deviceSeconds: null, epsilon: null };
const policy: Policy = {
  version: 1,
  periodMilliseconds: DAY,
  watch: defaultWatch,
  privacy: { rho: 0.01, epsilon: 4, delta: 1e-6 },
  trigger: {
    kind: 'trigger',
    drift: { raise: 1, clear: 2 },
    schedule: null,
    newExamples: null,
    floor: null,
    coolDown: 3,
    budget: { periods: 30, rounds: 40, bytes: null, deviceSeconds: null, epsilon: null },
  },
  plan: { rounds: 10, window: 7 },
  gate: { kind: 'gate', alpha: 0.05, older: 0.02, worst: 0.05, fewest: 10 },
  canary: { kind: 'canary', alpha: 0.05, participants: 40, margin: 0.05, periods: 14, share: 0.2 },
};

it('is taken as it is, with all of its rules or none', () => {
  expect(parsePolicy(JSON.parse(JSON.stringify(policy)), cost)).toEqual({ rule: policy, refusal: null });
  const since = { ...policy, sinceAlarm: true };
  expect(parsePolicy(since, cost)).toEqual({ rule: since, refusal: null });
  const bare = { ...policy, privacy: null, trigger: null, gate: null, canary: null };
  expect(parsePolicy(bare, cost)).toEqual({ rule: bare, refusal: null });
});

it.each([
  [{ watch: { ...defaultWatch, threshold: 0 } }, 'rule-always watch.threshold'],
  [{ trigger: { ...policy.trigger, schedule: '0 0 30 2 *' } }, 'rule-never trigger.schedule'],
  [
    { trigger: { ...policy.trigger, budget: { ...policy.trigger?.budget, rounds: 9 } } },
    'rule-never trigger.budget.rounds',
  ],
  [{ gate: { ...policy.gate, alpha: 0.5 } }, 'rule-always gate.alpha'],
  [{ canary: { ...policy.canary, margin: 0 } }, 'rule-never canary.margin'],
  [{ canary: { ...policy.canary, share: 0.6 } }, 'rule-invalid canary.share'],
  [{ periodMilliseconds: 10 }, 'rule-invalid periodMilliseconds'],
  [{ privacy: { rho: 0, epsilon: 1, delta: 1e-6 } }, 'rule-invalid privacy.rho'],
  [{ more: 1 }, 'rule-invalid '],
])('%o is refused as %s', (more, name) => {
  const { refusal } = parsePolicy({ ...policy, ...more }, cost);
  expect(`${refusal?.name} ${refusal?.field}`).toBe(name);
});
