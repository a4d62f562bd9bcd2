import { expect, it } from 'vitest';
import { type Beat, inBatches } from './in-batches.ts';

/** A page that shows what it was given when it is told to. */
function page() {
  let now = 0;
  let drawn: () => void = () => {};
  let rested: { wait: number; then: () => void } | null = null;
  const beat: Beat = {
    now: () => now,
    shown: (then) => {
      drawn = then;
    },
    after: (wait, then) => {
      rested = { wait, then };
    },
  };
  return {
    beat,
    /** Shows what was changed, so many milliseconds later. @returns how long it rests then. */
    draw(took: number): number {
      now += took;
      drawn();
      return rested?.wait ?? Number.NaN;
    },
    rest: () => rested?.then(),
  };
}

it('makes the first change at once, and those that come meanwhile together, in their order', () => {
  const { beat, draw, rest } = page();
  const made: number[][] = [];
  const change = inBatches<number>((changes) => made.push([...changes]), beat);
  change(1);
  expect(made).toEqual([[1]]);
  change(2);
  change(3);
  draw(5);
  change(4);
  expect(made).toEqual([[1]]);
  rest();
  expect(made).toEqual([[1], [2, 3, 4]]);
  draw(5);
  rest();
  change(5);
  expect(made.at(-1)).toEqual([5]);
});

it('makes a change at once that somebody waits for, and all before it', () => {
  const { beat } = page();
  const made: number[][] = [];
  const change = inBatches<number>((changes) => made.push([...changes]), beat);
  for (const n of [1, 2, 3]) change(n);
  change(4, true);
  expect(made).toEqual([[1], [2, 3, 4]]);
});

it('rests for as long as showing took, and never for less than a tenth of a second', () => {
  const { beat, draw, rest } = page();
  const change = inBatches<number>(() => {}, beat);
  change(1);
  expect(draw(5)).toBe(100);
  rest();
  change(2);
  expect(draw(700)).toBe(700);
});
