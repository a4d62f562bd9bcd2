import { expect, it } from 'vitest';
import { checkNesting, MAX_NESTING } from './nesting.ts';
import { readTopology } from './read-topology.ts';

const lists = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

it('lets through what nests up to the limit, and refuses one more by name', () => {
  expect(() => checkNesting(lists(MAX_NESTING))).not.toThrow();
  expect(() => checkNesting(lists(MAX_NESTING + 1))).toThrow(
    expect.objectContaining({ code: 'model-invalid', message: expect.stringContaining(`${MAX_NESTING}`) }),
  );
  for (const simple of [null, 1, 'text', [], {}]) expect(() => checkNesting(simple)).not.toThrow();
});

it.each([10_000, 1_000_000])('is asked before anything else reads a topology: %i lists deep', (depth) => {
  const model = { class_name: 'Sequential', config: { name: 'm', layers: [{ deep: lists(depth) }] } };
  expect(() => readTopology(model)).toThrow(expect.objectContaining({ code: 'model-invalid' }));
});

it('reads each part once: wide descriptions cost as much as they are long', () => {
  let reads = 0;
  const counting = (depth: number): object =>
    new Proxy(depth === 0 ? {} : { a: counting(depth - 1), b: counting(depth - 1) }, {
      ownKeys(target) {
        reads++;
        return Reflect.ownKeys(target);
      },
    });
  checkNesting(counting(10));
  expect(reads).toBe(2 ** 11 - 1);
});
