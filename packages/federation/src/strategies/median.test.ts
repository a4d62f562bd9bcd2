import { seededRandom, shuffle } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finish } from '../steps.ts';
import { type Rows, rowsInMemory } from '../sums/rows.ts';
import { layoutOf, resultOf } from './federation.testing.ts';
import { median } from './median.ts';

const combine = median().server.combine as (rows: Rows) => Promise<Float64Array>;
const rowsOf = (rows: readonly (readonly number[])[], weight = 1) =>
  rowsInMemory(rows.map((row) => ({ values: Float32Array.from(row), weight })));
const size = 5;
const row = fc.array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), { minLength: size, maxLength: size });
const column = (rows: readonly (readonly number[])[], at: number) => rows.map((one) => one[at] as number);

describe('the combined change', () => {
  it('has as many changes below as above, in every coordinate', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async (rows) => {
        const combined = await combine(rowsOf(rows));
        for (let at = 0; at < size; at++) {
          const middle = combined[at] as number;
          const [below, above] = [
            column(rows, at).filter((x) => x < middle),
            column(rows, at).filter((x) => x > middle),
          ];
          expect(Math.max(below.length, above.length)).toBeLessThanOrEqual(rows.length / 2);
        }
      }),
    );
  });

  it('depends neither on the order of contributions nor on their weights', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), fc.integer(), async (rows, seed) => {
        const combined = await combine(rowsOf(rows));
        expect(await combine(rowsOf(shuffle([...rows], seededRandom(seed)), 1e6))).toEqual(combined);
      }),
    );
  });

  it('stays among the honest changes where fewer than half lie, however they do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        fc.array(fc.constantFrom(-3e38, -1, 0, 1, 3e38), { maxLength: 7 }),
        async (honest, lies) => {
          const liars = lies.slice(0, honest.length - 1).map((lie) => new Array<number>(size).fill(lie));
          const combined = await combine(rowsOf([...liars, ...honest]));
          for (let at = 0; at < size; at++) {
            const told = column(honest, at).map(Math.fround);
            expect(combined[at]).toBeGreaterThanOrEqual(Math.min(...told));
            expect(combined[at]).toBeLessThanOrEqual(Math.max(...told));
          }
        },
      ),
    );
  });

  it('of an even number is the mean of the two in the middle, which half of them can move', async () => {
    expect([...(await combine(rowsOf([[1], [9], [3], [2]])))]).toEqual([2.5]);
    expect([...(await combine(rowsOf([[1], [1e30]])))]).toEqual([(1 + Math.fround(1e30)) / 2]);
  });
});

it('moves the model by the combined change, at the server’s rate, and needs every contribution', () => {
  const { server, needs, groups } = median({ serverLearningRate: 0.5 });
  const model = { layout: layoutOf({ w: 2 }), weights: Float32Array.of(1, 1) };
  const { weights, diagnostics } = finish(server.apply(server.init(model), resultOf(model, [6, -8])));
  expect([...weights]).toEqual([4, -3]);
  expect(diagnostics).toEqual({ stepNorm: 5 });
  expect([needs, groups]).toEqual(['rows', undefined]);
});
