import { expect, it } from 'vitest';
import { newFiring } from './firing.testing.ts';
import type { FiringStorage, StoredFiring } from './firing-storage.ts';
import type { ReferenceStorage } from './reference-storage.ts';

const refusal = { code: 'firing-refused' };

/** The part of `storageContract` for firings of triggers. */
export function firingContract(open: () => FiringStorage & Pick<ReferenceStorage, 'spentRho'>): void {
  it('knows no firing at first', async () => {
    const storage = open();
    expect(await storage.openFiring('toy')).toBeNull();
    expect(await storage.openFirings()).toEqual([]);
    expect(await storage.firings('toy')).toEqual([]);
  });

  it('numbers the firings of each task, keeps them as they were, and finds the open one', async () => {
    const storage = open();
    const causes = [{ cause: 'drift', periods: 2 }, { note: "It's 漂移 \0 $1" }];
    const first = await storage.addFiring(newFiring({ causes }));
    expect(first).toEqual({ ...newFiring({ causes }), sequence: 1, revision: 1 });
    expect(await storage.openFiring('toy')).toEqual(first);
    const ended = await storage.putFiring({ ...first, state: 'ended', outcome: 'refused', endedAt: 9 });
    expect(ended).toEqual({ ...first, state: 'ended', outcome: 'refused', endedAt: 9, revision: 2 });
    expect(await storage.openFiring('toy')).toBeNull();
    const second = await storage.addFiring(newFiring());
    const other = await storage.addFiring(newFiring({ task: 'other' }));
    expect([second.sequence, other.sequence]).toEqual([2, 1]);
    expect(await storage.firings('toy')).toEqual([second, ended]);
    expect(await storage.firings('toy', { limit: 1 })).toEqual([second]);
    expect(await storage.firings('toy', { before: 2 })).toEqual([ended]);
    expect(await storage.openFirings()).toEqual([other, second]);
  });

  it('refuses a second firing while one goes on, and gives out no number for it', async () => {
    const storage = open();
    const first = await storage.addFiring(newFiring());
    await expect(storage.addFiring(newFiring())).rejects.toMatchObject(refusal);
    const both = await Promise.allSettled([1, 2].map(() => storage.addFiring(newFiring({ task: 'race' }))));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await storage.putFiring({ ...first, state: 'ended' });
    expect((await storage.addFiring(newFiring())).sequence).toBe(2);
  });

  it('takes one of two changes of the same revision', async () => {
    const storage = open();
    const first = await storage.addFiring(newFiring());
    const launched: StoredFiring = { ...first, state: 'training', run: 'toy-2' };
    const after = await storage.putFiring(launched);
    await expect(storage.putFiring({ ...launched, run: 'toy-3' })).rejects.toMatchObject(refusal);
    await expect(storage.putFiring({ ...launched, sequence: 9 })).rejects.toMatchObject(refusal);
    await expect(storage.putFiring({ ...launched, task: 'other' })).rejects.toMatchObject(refusal);
    expect(await storage.openFiring('toy')).toEqual(after);
  });

  it('counts the cost of a change with it, once, and none of a change that is refused', async () => {
    const storage = open();
    const first = await storage.addFiring(newFiring());
    const cost = (exchange: string) => ({ exchange, at: 5, rho: 0.25 });
    const changed: StoredFiring = { ...first, state: 'comparing' };
    const after = await storage.putFiring(changed, cost('compare-1-5'));
    expect(await storage.spentRho('toy')).toBe(0.25);
    await expect(storage.putFiring(changed, cost('compare-2-5'))).rejects.toMatchObject(refusal);
    expect(await storage.spentRho('toy')).toBe(0.25);
    const again = await storage.putFiring(after, cost('compare-1-5'));
    await storage.putFiring(again, null);
    expect(await storage.spentRho('toy')).toBe(0.25);
    expect(await storage.spentRho('other')).toBe(0);
  });

  it('does not hand out or keep what a caller may change', async () => {
    const storage = open();
    const given = newFiring();
    const made = await storage.addFiring(given);
    given.causes.push('later');
    made.causes.push('later');
    expect((await storage.openFiring('toy'))?.causes).toEqual([{ cause: 'drift', periods: 1 }]);
  });
}
