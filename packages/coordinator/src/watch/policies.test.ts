import { defaultWatch, type Policy } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import type { AuditEntry, PolicyInfo } from '@coppice/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

const KEY = 'a-key-for-tests';
const NOW = 1_760_000_000_000;
const policy: Policy = {
  version: 1,
  periodMilliseconds: 24 * 3600 * 1000,
  watch: defaultWatch,
  privacy: null,
  trigger: {
    kind: 'trigger',
    drift: { raise: 1, clear: 2 },
    schedule: null,
    newExamples: null,
    floor: null,
    coolDown: 3,
    budget: { periods: 30, rounds: 12, bytes: null, deviceSeconds: null, epsilon: null },
  },
  plan: { rounds: 12 },
  gate: null,
  canary: null,
};

const gate = { kind: 'gate', alpha: 0.05, older: null, worst: 0.05, fewest: 10 } as const;

let coordinator: Coordinator;
beforeEach(async () => {
  const config = { port: 0, adminKey: KEY, logLevel: 'silent' } as const;
  const clock = new ManualClock(NOW);
  coordinator = await startCoordinator({ config, clock, storage: memoryStorage(), spool: memorySpool() });
});
afterEach(() => coordinator.close());

async function call<T>(path: string, put?: object, as: string | null = KEY): Promise<[number, T]> {
  const response = await fetch(`${coordinator.url}/api/${path}`, {
    method: put === undefined ? 'GET' : 'PUT',
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${as}` }),
      'content-type': 'application/json',
    },
    ...(put === undefined ? {} : { body: JSON.stringify(put) }),
  });
  return [response.status, (await response.json()) as T];
}
const save = (given: unknown, expected: number | null = null, task = 'iris') =>
  call<PolicyInfo & { error: { code: string; message: string } }>(`tasks/${task}/policy`, {
    expected,
    policy: given,
  });
const refusal = (status: number, code: string, text = '') => [
  status,
  { error: { code, message: expect.stringContaining(text) } },
];

it('saves versions of a policy, each by its author, on record', async () => {
  const none = { task: 'iris', version: null, at: null, by: null, policy: null };
  expect(await call('tasks/iris/policy')).toEqual([200, none]);
  const by = { by: 'admin', name: expect.any(String) };
  const first = { task: 'iris', version: 1, at: NOW, by, policy };
  expect(await save(policy)).toEqual([200, first]);
  expect(await call('tasks/iris/policy')).toEqual([200, first]);
  expect(await save(null, 1)).toEqual([200, { ...first, version: 2, policy: null }]);
  expect(await coordinator.storage.policyVersion('iris', 1)).toEqual(first);
  const [, audit] = await call<AuditEntry[]>('audit?action=policy-saved');
  expect(audit.map(({ target, detail }) => [target, detail])).toEqual([
    ['iris', '2 -'],
    ['iris', '1'],
  ]);
});

it('refuses a policy that does not follow the last version', async () => {
  await save(policy);
  expect(await save(policy)).toEqual(refusal(409, 'policy-conflict', 'Version 1'));
  expect(await save(policy, 2)).toEqual(refusal(409, 'policy-conflict'));
});

it.each<[object, string, string]>([
  [{ watch: { ...defaultWatch, threshold: 0 } }, 'policy-invalid', '(rule-always, watch.threshold)'],
  [{ periodMilliseconds: 1 }, 'policy-invalid', '(rule-invalid, periodMilliseconds)'],
  // One launch is of 13 rounds, and the budget is of 12: the default of the task counts as well.
  [{ plan: { rounds: 13 } }, 'policy-invalid', '(rule-never, trigger.budget.rounds)'],
  [{ plan: {} }, 'policy-invalid', '(rule-never, trigger.budget.rounds)'],
  [{ privacy: { rho: 0.5, epsilon: 9, delta: 1e-6 } }, 'policy-invalid', '(rule-never, privacy.epsilon)'],
  // Without a gate this budget is enough: a comparison is paid from it too.
  [
    { privacy: { rho: 0.5, epsilon: 10, delta: 1e-6 }, gate },
    'policy-invalid',
    'two periods and a comparison',
  ],
  [{ plan: { rounds: 0 } }, 'plan-invalid', 'rounds'],
  [{ plan: { turns: 3 } }, 'plan-invalid', 'turns'],
  [{ plan: { strategy: 'guess' } }, 'plan-invalid', 'strategy'],
])('refuses %o as %s', async (more, code, text) => {
  expect(await save({ ...policy, ...more })).toEqual(refusal(422, code, text));
  expect((await call<PolicyInfo>('tasks/iris/policy'))[1].version).toBeNull();
});

it('is for admins, and for tasks that there are', async () => {
  expect(await save(policy, null, 'none')).toEqual(refusal(404, 'task-unknown'));
  expect((await call('tasks/iris/policy', { expected: null, policy }, null))[0]).toBe(401);
  expect((await call('tasks/iris/policy', undefined, null))[0]).toBe(401);
  expect(await call('tasks/iris/policy', { policy })).toEqual(refusal(400, 'body-invalid'));
});
