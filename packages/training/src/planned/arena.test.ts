import fc from 'fast-check';
import { expect, it } from 'vitest';
import { place, type Span } from './arena.ts';

const span = fc
  .record({ bytes: fc.integer({ min: 1, max: 500 }), first: fc.nat(12), length: fc.nat(6) })
  .map(({ bytes, first, length }): Span => ({ bytes, first, last: first + length }));

it('never lets two spans overlap that are needed at the same time', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 25 }), (spans) => {
      const { offsets, bytes } = place(spans);
      for (const [i, a] of spans.entries()) {
        const from = offsets[i] as number;
        expect(from % 16).toBe(0);
        expect(from + a.bytes).toBeLessThanOrEqual(bytes);
        for (const [j, b] of spans.entries()) {
          if (i === j || a.last < b.first || b.last < a.first) continue;
          const other = offsets[j] as number;
          expect(from + a.bytes <= other || other + b.bytes <= from).toBe(true);
        }
      }
    }),
  );
});

it('uses memory again that is not needed any more', () => {
  const chain = Array.from({ length: 10 }, (_, i): Span => ({ bytes: 160, first: i, last: i + 1 }));
  expect(place(chain).bytes).toBe(320);
});
