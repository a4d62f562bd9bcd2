import { createHash } from 'node:crypto';
import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { armIn, armOf } from './arms.ts';

const PARTICIPANTS = 4000;
const random = seededRandom('participants');
const participants = Array.from({ length: PARTICIPANTS }, () =>
  createHash('sha256').update(String(random.uint32())).digest('hex').slice(0, 32),
);
/** Secrets and shares of canaries. */
const canaries = fc.record({
  secret: fc.string({ minLength: 1 }),
  share: fc.constantFrom(0.05, 0.1, 0.25, 0.5),
});
/** Six standard deviations of a binomial count, and one: less than 10⁻⁶ of right secrets are beyond, at the smallest share. */
const within = (n: number, p: number) => 6 * Math.sqrt(n * p * (1 - p)) + 1;

it('has shares as promised, and a control group as large as the canary', () => {
  fc.assert(
    fc.property(canaries, (canary) => {
      const arms = participants.map((participant) => armOf(canary, participant));
      const count = (of: string) => arms.filter((arm) => arm === of).length;
      const { share } = canary;
      for (const arm of ['canary', 'control'])
        expect(Math.abs(count(arm) - share * PARTICIPANTS)).toBeLessThan(within(PARTICIPANTS, share));
      if (share === 0.5) expect(count('none')).toBe(0);
      // The same at every time, whatever came between.
      expect(participants.toReversed().map((participant) => armOf(canary, participant))).toEqual(
        arms.toReversed(),
      );
    }),
    { numRuns: 20 },
  );
});

it('is drawn afresh with each secret: the arms of two canaries are independent', () => {
  fc.assert(
    fc.property(canaries, canaries, (one, other) => {
      fc.pre(one.secret !== other.secret);
      const both = participants.filter(
        (participant) => armOf(one, participant) === 'canary' && armOf(other, participant) === 'canary',
      ).length;
      const p = one.share * other.share;
      expect(Math.abs(both - p * PARTICIPANTS)).toBeLessThan(within(PARTICIPANTS, p));
    }),
    { numRuns: 20 },
  );
});

it('keeps a participant in the canary where the share grows', () => {
  const arms = participants.map((participant) => armOf({ secret: 's', share: 0.1 }, participant));
  for (const [i, participant] of participants.entries())
    if (arms[i] === 'canary') expect(armOf({ secret: 's', share: 0.2 }, participant)).toBe('canary');
});

it('is that of the first 53 bits of HMAC-SHA-256 of the participant under the secret', () => {
  // By Python's hmac: 2fb39898cf6b5cad…
  const draw = 1678348985691499 / 2 ** 53;
  expect(armOf({ secret: 'k', share: draw }, 'b')).toBe('control');
  expect(armOf({ secret: 'k', share: draw + 2 ** -53 }, 'b')).toBe('canary');
});

it('is none in a task without a canary', () => {
  const canary = { secret: 's', share: 0.5, sequence: 1, checkpoint: 'iris-1/1', hash: 'ab' } as const;
  const canaries = { of: (task: string) => (task === 'iris' ? canary : null), all: () => [] };
  expect(armIn(canaries, 'iris', 'p')).toBe(armOf(canary, 'p'));
  expect(armIn(canaries, 'digits', 'p')).toBe('none');
});
