import { agreedBinning, type Binning, referenceOf } from '@coppice/continuity';
import { expect, it } from 'vitest';
import type { PeriodStorage } from './period-storage.ts';
import type { ReferenceStorage, Spending, StoredReference } from './reference-storage.ts';

const binning: Binning = agreedBinning(
  {
    version: 1,
    recipe: 'ab'.repeat(32),
    columns: [{ kind: 'number', name: '身高', edges: [0.1, 0.25, 1 / 3], range: [0, 1] }],
    prediction: { kind: 'class', classes: 2 },
    confidence: null,
  },
  new Map(),
);
const known = (given: Partial<StoredReference> = {}): StoredReference => ({
  task: 'toy',
  release: 3,
  checkpoint: 'toy-1/2',
  hash: 'cd'.repeat(32),
  at: 1_760_000_000_000,
  binning,
  reference: null,
  ...given,
});
const made = known({ at: 1_760_000_000_005, reference: referenceOf(binning, new Map()) });
const cost = (exchange: string, rho = 0.1): Spending => ({ exchange, at: 1_760_000_000_000, rho });

/** The part of `storageContract` for references of releases, the ledger of privacy, and secrets. */
export function referenceContract(open: () => ReferenceStorage & PeriodStorage): void {
  it('keeps what is known of the reference of each release, and a reference for ever', async () => {
    const storage = open();
    expect(await storage.reference('toy', 3)).toBeNull();
    await storage.putReference(known(), null);
    expect(await storage.reference('toy', 3)).toEqual(known());
    await storage.putReference(made, null);
    await storage.putReference(known({ at: 9 }), null);
    await storage.putReference(known({ release: 4 }), null);
    expect(await storage.reference('toy', 3)).toEqual(made);
    expect(await storage.reference('toy', 4)).toEqual(known({ release: 4 }));
    expect(await storage.reference('other', 3)).toBeNull();
  });

  it('counts the cost of each exchange once, with what it paid for', async () => {
    const storage = open();
    expect(await storage.spentRho('toy')).toBe(0);
    await storage.putReference(known(), cost('statistics-1-ab'));
    await storage.putReference(known(), cost('statistics-1-ab'));
    await storage.putReference(known({ task: 'other' }), cost('statistics-1-ab', 5));
    const period = {
      task: 'toy',
      period: 7,
      reference: 'ab'.repeat(32),
      release: 3,
      noise: 2.5,
      startedAt: 1,
      endedAt: 2,
      reports: 0,
      sums: null,
      verdict: null,
    };
    await storage.addPeriod(period, cost('report-7-ab', 0.25));
    await storage.addPeriod(period, cost('report-7-ab', 0.25));
    await storage.addPeriod({ ...period, period: 8 });
    expect(await storage.spentRho('toy')).toBeCloseTo(0.35, 12);
    expect(await storage.spentRho('other')).toBe(5);
  });

  it('gives a task one secret, whatever comes later', async () => {
    const storage = open();
    expect(await storage.watchSecret('toy', 'a')).toBe('a');
    expect(await storage.watchSecret('toy', 'b')).toBe('a');
    expect(await storage.watchSecret('other', 'b')).toBe('b');
  });
}
