import { defaultWatch, type Policy } from '@coppice/continuity';
import { expect, it } from 'vitest';
import type { NewPolicy, PolicyStorage } from './policy-storage.ts';

const policy: Policy = {
  version: 1,
  periodMilliseconds: 3_600_000,
  watch: defaultWatch,
  privacy: { rho: 0.01, epsilon: 4, delta: 1e-6 },
  trigger: null,
  plan: { rounds: 10, optimizer: 'sgd', clipNorm: null },
  gate: null,
  canary: { kind: 'canary', alpha: 0.05, participants: 40, margin: 0.05, periods: 14, share: 0.2 },
};

const saved = (given: Partial<NewPolicy> = {}): NewPolicy => ({
  task: 'toy',
  expected: null,
  at: 1_760_000_000_000,
  by: { by: 'admin', name: "It's 小林" },
  policy,
  ...given,
});

/** The part of `storageContract` for tasks' policies. */
export function policyContract(open: () => PolicyStorage): void {
  it('knows no policy of a task at first', async () => {
    expect(await open().policy('toy')).toBeNull();
    expect(await open().policyVersion('toy', 1)).toBeNull();
  });

  it('keeps every version of a policy, as it was, each task apart', async () => {
    const storage = open();
    const { expected: _expected, ...first } = saved();
    expect(await storage.putPolicy(saved())).toEqual({ ...first, version: 1 });
    await storage.putPolicy(saved({ expected: 1, policy: null, by: { by: 'admin', name: '' } }));
    await storage.putPolicy(saved({ task: 'other' }));
    expect(await storage.policy('toy')).toMatchObject({ version: 2, policy: null });
    expect(await storage.policyVersion('toy', 1)).toEqual({ ...first, version: 1 });
    expect(await storage.policyVersion('toy', 3)).toBeNull();
    expect(await storage.policy('other')).toEqual({ ...first, task: 'other', version: 1 });
  });

  it('saves one of several policies that expect the same version, and refuses the others by name', async () => {
    const storage = open();
    await storage.putPolicy(saved());
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 }, (_, i) => storage.putPolicy(saved({ expected: 1, at: i }))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'policy-conflict' });
    expect((await storage.policy('toy'))?.version).toBe(2);
    await expect(storage.putPolicy(saved({ expected: null }))).rejects.toMatchObject({
      code: 'policy-conflict',
      message: expect.stringContaining("It's 小林"),
    });
  });
}
