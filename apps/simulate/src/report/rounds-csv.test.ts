import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RoundEvent } from '../events.ts';
import { roundsCsv } from './rounds-csv.ts';

const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const roundEvent: fc.Arbitrary<RoundEvent> = fc.record({
  event: fc.constant('round' as const),
  round: fc.integer({ min: 1, max: 100_000 }),
  accuracy: share,
  loss: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  participants: fc.nat(),
  bytesUp: count,
  bytesDown: count,
  seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
  capped: fc.nat(),
  scaled: fc.nat(),
});

/** Reads CSV as RFC 4180 has it, quotes included, knowing nothing of what was written. */
function parse(text: string): string[][] {
  const records: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/y;
  while (field.lastIndex < text.length) {
    const [, quoted, plain, end] = field.exec(text) as unknown as [string, string?, string?, string?];
    records.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') records.push([]);
  }
  if (records.at(-1)?.length === 0) records.pop();
  return records;
}

it('is read back as the same rounds', () => {
  fc.assert(
    fc.property(fc.array(roundEvent), (rounds) => {
      const [header, ...records] = parse(roundsCsv(rounds)) as [string[], ...string[][]];
      const read = records.map((record) => ({
        event: 'round',
        ...Object.fromEntries(
          header.map((key, index) => [key, record[index] === '' ? null : Number(record[index])]),
        ),
      }));
      // CSV has one zero.
      expect(read).toEqual(JSON.parse(JSON.stringify(rounds)));
    }),
  );
});

it('has the measures of the task as further columns', () => {
  const round: RoundEvent = {
    event: 'round',
    round: 1,
    accuracy: 0.5,
    loss: 0.25,
    values: { auroc: 0.75, f1: null },
    participants: 2,
    bytesUp: 3,
    bytesDown: 4,
    seconds: 0.5,
    capped: 1,
    scaled: 0,
  };
  expect(roundsCsv([round])).toBe(
    'round,accuracy,loss,participants,bytesUp,bytesDown,seconds,capped,scaled,auroc,f1\r\n1,0.5,0.25,2,3,4,0.5,1,0,0.75,\r\n',
  );
});

it('leaves empty what is not a number', () => {
  const round: RoundEvent = {
    event: 'round',
    round: 1,
    accuracy: null,
    loss: Number.NaN,
    participants: 2,
    bytesUp: 3,
    bytesDown: 4,
    seconds: 0.5,
    capped: 1,
    scaled: 0,
  };
  expect(roundsCsv([round])).toBe(
    'round,accuracy,loss,participants,bytesUp,bytesDown,seconds,capped,scaled\r\n1,,,2,3,4,0.5,1,0\r\n',
  );
});
