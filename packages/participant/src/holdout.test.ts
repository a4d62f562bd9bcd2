import { createHmac } from 'node:crypto';
import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draws, holdOut } from './holdout.ts';
import type { OwnDataset } from './local-data.ts';
import { exampleIds, newMarks } from './marks.ts';

const someone = Uint8Array.from({ length: 32 }, (_, i) => i);
const another = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);

/** Examples of two numbers each, 3i and 3i + 1, with the label i. */
function numbered(count: number, { bytes = true, seed = 'ids' } = {}): OwnDataset {
  const xs = Array.from({ length: 2 * count }, (_, i) => (3 * (i >> 1) + (i & 1)) % 256);
  return {
    count,
    xs: bytes ? Uint8Array.from(xs) : Float32Array.from(xs),
    ys: Float32Array.from({ length: count }, (_, i) => i),
    ...newMarks(count, { random: seededRandom(seed), now: () => 1000 }),
    times: Float64Array.from({ length: count }, (_, i) => 1000 + i),
  };
}

/** The examples of some rows, in their order. */
function rows({ xs, ys, ids, times }: OwnDataset, chosen: readonly number[]): OwnDataset {
  return {
    count: chosen.length,
    xs: Uint8Array.from(chosen.flatMap((row) => [...xs.subarray(2 * row, 2 * row + 2)])),
    ys: Float32Array.from(chosen, (row) => ys[row] as number),
    ids: Uint8Array.from(chosen.flatMap((row) => [...ids.subarray(16 * row, 16 * row + 16)])),
    times: Float64Array.from(chosen, (row) => times[row] as number),
  };
}

const heldIds = (data: OwnDataset, task: number, plan = task, secret = someone) =>
  new Set(exampleIds(holdOut(data, secret, { task, plan }).evaluation ?? { ids: new Uint8Array(0) }));
const trainedIds = (data: OwnDataset, task: number, plan: number) =>
  new Set(exampleIds(holdOut(data, someone, { task, plan }).training));

const shareArbitrary = fc.double({ min: 0.05, max: 0.5, noNaN: true });

describe('held-out examples', () => {
  it('are drawn by HMAC-SHA-256 of the id, as Node computes it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (secret, id) => {
          const code = createHmac('sha256', secret).update(id).digest();
          expect([...draws(id, secret)]).toEqual([Number(code.readBigUInt64BE() >> 11n) / 2 ** 53]);
        },
      ),
    );
  });

  it('and the others are the examples, each once and as it was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 85 }),
        fc.double({ min: 0.2, max: 0.5, noNaN: true }),
        fc.boolean(),
        (count, share, bytes) => {
          const data = numbered(count, { bytes });
          const { training, evaluation } = holdOut(data, someone, { task: share, plan: 0.1 });
          expect(evaluation?.count ?? 0).toBeGreaterThan(0);
          expect([...training.ys, ...(evaluation?.ys ?? [])].sort((a, b) => a - b)).toEqual([...data.ys]);
          for (const part of [training, evaluation as OwnDataset]) {
            expect(part.xs.constructor).toBe(data.xs.constructor);
            expect([...part.xs]).toEqual([...part.ys].flatMap((i) => [data.xs[2 * i], data.xs[2 * i + 1]]));
            expect([...part.times]).toEqual([...part.ys].map((i) => 1000 + i));
            expect(exampleIds(part)).toEqual([...part.ys].map((i) => exampleIds(data)[i]));
          }
        },
      ),
    );
  });

  it('stay held out, and the others not, when examples are added, deleted or put in another order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 80 }),
        shareArbitrary,
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 0, max: 40 }),
        (count, share, numbers, added) => {
          const data = numbered(count + added);
          const before = rows(
            data,
            Array.from({ length: count }, (_, i) => i),
          );
          const was = heldIds(before, share);
          const drawn = numbers[Symbol.iterator]();
          const chosen = Array.from({ length: count + added }, (_, i) => i)
            .filter(() => (drawn.next().value as number) % 5 > 0)
            .map((row) => [drawn.next().value as number, row] as const)
            .sort(([a], [b]) => a - b)
            .map(([, row]) => row);
          const after = rows(data, chosen);
          const is = heldIds(after, share);
          // Too few are left to split.
          if (is.size === 0) return;
          const left = exampleIds(before).filter((id) => exampleIds(after).includes(id));
          for (const id of left) expect(is.has(id)).toBe(was.has(id));
        },
      ),
    );
  });

  it('have nothing to do with labels and features', () => {
    const data = numbered(300);
    const other = { ...data, ys: new Float32Array(300), xs: new Uint8Array(600) };
    expect(heldIds(other, 0.2)).toEqual(heldIds(data, 0.2));
  });

  it('are about the share, for each label and place alike', () => {
    const data = numbered(8000);
    // Five standard deviations of a binomial.
    const bound = (n: number) => 5 * Math.sqrt(n * 0.1 * 0.9);
    const { evaluation } = holdOut(data, someone, { task: 0.1, plan: 0.1 });
    const held = [...(evaluation?.ys ?? [])];
    expect(Math.abs(held.length - 800)).toBeLessThan(bound(8000));
    for (const part of [0, 1, 2, 3]) {
      const first = held.filter((i) => Math.floor(i / 2000) === part).length;
      const label = held.filter((i) => i % 4 === part).length;
      expect(Math.abs(first - 200)).toBeLessThan(bound(2000));
      expect(Math.abs(label - 200)).toBeLessThan(bound(2000));
    }
  });

  it('are others on another device', () => {
    const data = numbered(2000);
    const [ours, theirs] = [heldIds(data, 0.25), heldIds(data, 0.25, 0.25, another)];
    const both = [...ours].filter((id) => theirs.has(id)).length;
    // As many as two independent draws share.
    expect(Math.abs(both - 125)).toBeLessThan(5 * Math.sqrt(2000 * 0.0625 * 0.9375));
  });

  it('of a smaller share are held out at a larger one too', () => {
    fc.assert(
      fc.property(shareArbitrary, shareArbitrary, (a, b) => {
        const data = numbered(200);
        const [small, large] = [heldIds(data, Math.min(a, b)), heldIds(data, Math.max(a, b))];
        expect([...small].filter((id) => !large.has(id))).toEqual([]);
      }),
    );
  });

  it('at the share of the task are trained on by no plan', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        shareArbitrary,
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (count, task, plan) => {
          const data = numbered(count);
          const held = heldIds(data, task);
          const trained = trainedIds(data, task, plan);
          expect([...trained].filter((id) => held.has(id))).toEqual([]);
          expect(trained.size).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('are as many as a plan wants where that is more, and measured on only where it wants any', () => {
    const data = numbered(500);
    const shares = (task: number, plan: number) => {
      const { training, evaluation } = holdOut(data, someone, { task, plan });
      return [training.count, evaluation?.count ?? null];
    };
    const [tenth, third] = [heldIds(data, 0.1).size, heldIds(data, 0.3).size];
    expect(third).toBeGreaterThan(tenth);
    expect(shares(0.1, 0.3)).toEqual([500 - third, third]);
    expect(shares(0.1, 0.01)).toEqual([500 - tenth, tenth]);
    expect(shares(0.1, 0)).toEqual([500 - tenth, null]);
    expect(shares(0, 0.3)).toEqual([500 - third, third]);
    expect(shares(0, 0)).toEqual([500, null]);
  });

  it('are none on a device that is too small to split, which trains on all', () => {
    const data = numbered(4);
    const drawn = [...draws(data.ids, someone)].sort((a, b) => a - b) as [number, number, number, number];
    const all = { training: data, evaluation: null };
    expect(holdOut(data, someone, { task: drawn[0] / 2, plan: 0.001 })).toEqual(all);
    expect(holdOut(data, someone, { task: 0, plan: drawn[3] + 1e-9 })).toEqual(all);
    expect(holdOut(numbered(0), someone, { task: 0.1, plan: 0.1 })).toEqual({
      training: numbered(0),
      evaluation: null,
    });
    // Where the plan's share leaves nothing to train on, the task's decides.
    const middle = (drawn[1] + drawn[2]) / 2;
    const { training, evaluation } = holdOut(data, someone, { task: middle, plan: drawn[3] + 1e-9 });
    expect([training.count, evaluation?.count]).toEqual([2, 2]);
  });
});
