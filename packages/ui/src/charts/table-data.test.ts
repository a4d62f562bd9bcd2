import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extremes, joinLines, toCsv, toJson } from './table-data.ts';

/** Reads CSV the way RFC 4180 describes it: the other direction, written independently. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let value = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted && c === '"' && text[i + 1] === '"') {
      value += '"';
      i++;
    } else if (c === '"') {
      quoted = !quoted;
    } else if (!quoted && c === ',') {
      rows.at(-1)!.push(value);
      value = '';
    } else if (!quoted && c === '\r' && text[i + 1] === '\n') {
      rows.at(-1)!.push(value);
      rows.push([]);
      value = '';
      i++;
    } else {
      value += c;
    }
  }
  rows.pop();
  return rows;
}

describe('toCsv', () => {
  it('can be read back, whatever the cells hold', () => {
    const row = fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\r', '\n', '中', ' ') }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(row, fc.array(row), (columns, rows) => {
        expect(readCsv(toCsv({ columns, rows }))).toEqual([columns, ...rows]);
      }),
    );
  });

  it('leaves a missing value empty and writes numbers in full', () => {
    expect(
      toCsv({
        columns: ['round', 'loss'],
        rows: [
          [1, null],
          [2, 0.1 + 0.2],
        ],
      }),
    ).toBe('round,loss\r\n1,\r\n2,0.30000000000000004\r\n');
  });
});

describe('toJson', () => {
  it('gives each row as an object, numbers in full', () => {
    const table = {
      columns: ['round', 'loss', '准确率'],
      rows: [
        [1, null, 0.1 + 0.2],
        [2, 3.5, null],
      ],
    };
    expect(JSON.parse(toJson(table))).toEqual([
      { round: 1, loss: null, 准确率: 0.1 + 0.2 },
      { round: 2, loss: 3.5, 准确率: null },
    ]);
  });
});

describe('joinLines', () => {
  it('keeps every point of every line at its x', () => {
    const line = fc.uniqueArray(
      fc.record({ x: fc.integer({ min: 0, max: 40 }), y: fc.option(fc.double({ noNaN: true })) }),
      { selector: (point) => point.x },
    );
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
        const joined = joinLines(lines);
        expect(joined.x).toEqual([...joined.x].sort((a, b) => a - b));
        for (const [index, points] of lines.entries()) {
          for (const point of points) {
            expect(joined.y[index]![joined.x.indexOf(point.x)]).toBe(point.y);
          }
          const filled = joined.y[index]!.filter((y) => y !== null).length;
          expect(filled).toBe(points.filter((point) => point.y !== null).length);
        }
      }),
    );
  });
});

describe('extremes', () => {
  it('names the first of equal values, and nothing for an empty line', () => {
    const points = [3, 1, 1, 4, 4].map((y, x) => ({ x, y }));
    expect(extremes(points)).toEqual({ last: { x: 4, y: 4 }, min: { x: 1, y: 1 }, max: { x: 3, y: 4 } });
    expect(extremes([{ x: 0, y: null }])).toBeNull();
  });
});
