import { describe, expect, it } from 'vitest';
import { brokenPromises, type LedgerLine } from './ledger.ts';

const kept = (round: number, participant: string): LedgerLine => ({
  event: 'kept',
  run: 'r',
  round,
  participant,
});
const ready = (committed: number, round?: number, ...participants: string[]): LedgerLine => ({
  event: 'ready',
  runs: { r: { committed, open: round === undefined ? null : { round, participants } } },
});

/* The kill tests rest on this: it must see what they look for. */
describe('the ledger of promises', () => {
  it('is kept by a coordinator that finds again what it promised', () => {
    const lines = [ready(0), kept(1, 'a'), ready(0, 1, 'a', 'b'), kept(1, 'c'), ready(1), kept(2, 'a')];
    expect(brokenPromises(lines)).toEqual([]);
  });

  it.each([
    ['nothing was found', [ready(0), kept(1, 'a'), ready(0)]],
    ['another was found', [ready(0), kept(1, 'a'), ready(0, 1, 'b')]],
    ['another round was found', [ready(1), kept(2, 'a'), ready(1, 3, 'a')]],
    ['it was lost a life later', [ready(0), kept(1, 'a'), ready(0, 1, 'a'), ready(0)]],
    ['the run is gone', [ready(0), kept(1, 'a'), { event: 'ready', runs: {} } as LedgerLine]],
  ])('is broken where %s', (_, lines) => {
    expect(brokenPromises(lines)).toHaveLength(1);
  });
});
