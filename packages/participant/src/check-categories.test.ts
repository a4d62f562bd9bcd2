import type { TableData } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { checkExamples } from './examples.ts';

const table: TableData = {
  kind: 'table',
  features: [
    { name: 'length', mean: 0, scale: 1 },
    { kind: 'category', name: 'kind', values: ['oak', 'elm'] },
  ],
  target: { kind: 'number', name: 'age' },
};
const check = (...kinds: number[]) =>
  checkExamples(
    {
      count: kinds.length,
      features: Float32Array.from(kinds.flatMap((kind) => [-7.5, kind])),
      labels: new Float32Array(kinds.length),
    },
    table,
  );

describe('stored categories', () => {
  it('are the index of a value, or the number of values for any other', () => {
    expect(() => check(0, 1, 2)).not.toThrow();
  });

  it.each([3, -1, 0.5])('are refused by column and example: %d', (kind) => {
    expect(() => check(0, kind)).toThrow(
      expect.objectContaining({
        code: 'data-invalid',
        message: `Example 2 has ${kind} in the column "kind"; its categories are 0 to 2.`,
      }),
    );
  });
});
