import { CoppiceError, type TableData } from '@coppice/protocol';
import { anyText, attempt } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRow } from './read-row.ts';
import { PLAIN } from './reading/number-format.ts';
import { TableBuilder } from './reading/table-builder.ts';
import { takeRows } from './reading/take-rows.ts';

const data: TableData = {
  kind: 'table',
  features: [
    { name: 'age', mean: 40, scale: 10 },
    { kind: 'category', name: 'colour', values: ['red', 'Blue', '3'] },
    { kind: 'category', name: '__proto__', values: ['constructor'] },
  ],
  target: { kind: 'number', name: 'price' },
};

const reading = {
  kind: 'text',
  encoding: 'utf-8',
  separator: ',',
  quote: '"',
  decimal: '.',
  thousands: null,
  header: true,
  titleRows: 0,
  comment: null,
  sheets: [],
  sheet: null,
} as const;

function row(age: unknown, colour: unknown, proto: unknown): Record<string, unknown> {
  return Object.fromEntries([
    ['age', age],
    ['colour', colour],
    ['__proto__', proto],
  ]);
}

describe('a row by column names', () => {
  it('has categories by their names, and any other for unknown ones', () => {
    expect([...readRow(row(39.5, 'blue', 'constructor'), data)]).toEqual([39.5, 1, 0]);
    expect([...readRow(row('39.5', ' red ', 'toString'), data)]).toEqual([39.5, 0, 1]);
    expect([...readRow(row(0, 3, 'x'), data)]).toEqual([0, 2, 1]);
    expect([...readRow({ ...row(1, 'green', 'x'), price: 7 }, data)].at(1)).toBe(3);
  });

  it.each([
    [{ colour: 'red' }, '"age"'],
    [row(undefined, 'red', 'x'), '"age"'],
    [row(Number.NaN, 'red', 'x'), '"age"'],
    [row('1,5', 'red', 'x'), '"age"'],
    [row(1e39, 'red', 'x'), '"age"'],
    [row(1, '', 'x'), '"colour"'],
    [row(1, null, 'x'), '"colour"'],
    [{ age: 1, colour: 'red' }, '"__proto__"'],
  ])('%o is refused, and the column is named', (given, column) => {
    const result = attempt(() => readRow(given, data));
    expect('refused' in result && result.refused.code).toBe('data-invalid');
    expect('refused' in result && result.refused.message).toContain(column);
  });

  it('may have a number outside of its plausible range, as on the form of the client page', () => {
    const narrow: TableData = { ...data, features: [{ name: 'age', mean: 40, scale: 10, min: 0, max: 120 }] };
    expect([...readRow({ age: 150 }, narrow)]).toEqual([150]);
  });

  it('is read as the same cells of a CSV file are', () => {
    const cell = fc.oneof(
      anyText,
      fc.constantFrom('red', 'BLUE', '3.0', '', '1e2', '-7', '0x10', 'constructor', ' 5', '1e40'),
      fc.double().map(String),
    );
    const columns = data.features.map(({ name }) => name);
    fc.assert(
      fc.property(fc.tuple(cell, cell, cell), (cells) => {
        const names = [...columns, 'price'];
        const head = { titleRows: 0, header: true, names, firstRow: 1, indexColumns: [] };
        const builder = new TableBuilder(
          head,
          names.map(() => PLAIN),
        );
        // As files give them: without spaces around.
        builder.addRow([...cells.map((one) => one.trim()), '1'], 2);
        const table = builder.finish(reading, {});
        const read = takeRows(table, { features: [0, 1, 2], target: 3 }, data);
        const result = attempt(() => readRow(row(...cells), data));
        if ('refused' in result) {
          expect(result.refused).toBeInstanceOf(CoppiceError);
          expect(read.count).toBe(0);
        } else expect(result.value).toEqual(read.features);
      }),
      { numRuns: 500 },
    );
  });
});
