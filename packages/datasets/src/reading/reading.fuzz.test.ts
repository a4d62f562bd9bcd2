import { readFileSync } from 'node:fs';
import type { TableData } from '@coppice/protocol';
import { CoppiceError, CreateTaskSchema } from '@coppice/protocol';
import { anyBytes, anyText, damaged } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../normalise.ts';
import { inspectFile } from './inspect.ts';
import { mapColumns } from './map-columns.ts';
import { proposeSchema } from './propose-schema.ts';
import { readTable } from './read-table.ts';
import { takeRows } from './take-rows.ts';

/* What a person brings: any file there is. */

const task: TableData = {
  kind: 'table',
  features: [
    { name: 'length', mean: 1, scale: 2, min: 0, max: 10 },
    { kind: 'category', name: '__proto__', values: ['2', 'constructor'] },
  ],
  target: { kind: 'class', name: 'kind', classes: ['constructor', 'b'] },
};
const schemas: readonly TableData[] = [task, { ...task, target: { kind: 'number', name: 'price' } }];

const file = 'length,__proto__,kind\n1,2,b\n3,"4",constructor\n5;6;b\n"7\n8",9,1\n1e999,0x10,b\n';
const cases = new URL('../../../../test/cases/csv/real/', import.meta.url);
const real = (name: string) => readFileSync(new URL(name, cases));
const utf8 = (text: string) => Buffer.from(text, 'utf8');
const text = fc.oneof(
  {
    weight: 4,
    arbitrary: damaged(
      utf8(file),
      Buffer.from(file, 'utf16le'),
      real('haeuser-windows-1252.csv'),
      real('names-gbk.csv'),
    ),
  },
  fc
    .string({
      unit: fc.constantFrom(
        ',',
        ';',
        '\t',
        '\n',
        '\r',
        '"',
        "'",
        '1',
        '.',
        '-',
        'e',
        'b',
        ' ',
        '#',
        '\0',
        '\uFEFF',
      ),
    })
    .map(utf8),
  anyText.map(utf8),
  anyBytes,
);
const choices = fc.record(
  {
    header: fc.boolean(),
    separator: fc.constantFrom(',', ';', '\t', '|', ' '),
    quote: fc.constantFrom('"', "'", null),
    decimal: fc.constantFrom('.', ','),
    thousands: fc.constantFrom('.', ',', ' ', null),
    titleRows: fc.nat(3),
    encoding: fc.constantFrom('utf-8', 'utf-16le', 'gb18030', 'windows-1252'),
  },
  { requiredKeys: [] },
);

async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(CoppiceError);
    expect(['data-empty', 'data-invalid']).toContain((thrown as CoppiceError).code);
    return null;
  }
}

async function holds(bytes: Uint8Array, given: Parameters<typeof readTable>[1]): Promise<void> {
  const table = await attempt(() => readTable(bytes, given));
  if (table === null) return;
  expect(new Set(table.columns.map(({ name }) => name)).size).toBe(table.columns.length);
  const streamed = await readTable(new Blob([Uint8Array.from(bytes)]), given);
  expect(streamed.reading).toEqual(table.reading);
  for (let row = 0; row < table.rows; row++) {
    expect(streamed.columns.map((column) => column.cellAt(row))).toEqual(
      table.columns.map((column) => column.cellAt(row)),
    );
    if (row > 0) expect(table.rowNumber(row)).toBeGreaterThan(table.rowNumber(row - 1));
  }
  for (const schema of schemas) {
    const mapping = mapColumns(table, schema);
    if (mapping.target === null || mapping.features.includes(null)) continue;
    const examples = takeRows(table, mapping, schema);
    const skipped = examples.skipped.reduce((sum, { count }) => sum + count, 0);
    expect(examples.count + skipped).toBe(table.rows + (table.wide?.count ?? 0));
    const others = examples.unlisted.reduce((sum, { count }) => sum + count, 0);
    expect(others).toBe(examples.features.filter((value, at) => at % 2 === 1 && value === 2).length);
    const { xs, ys } = normalise(examples, schema);
    expect(xs.every(Number.isFinite) && ys.every(Number.isFinite)).toBe(true);
  }
  const proposed = await attempt(async () => proposeSchema(table));
  if (proposed !== null) {
    expect(CreateTaskSchema.shape.data.safeParse(proposed.data).error?.issues ?? []).toEqual([]);
    const { inspection } = await inspectFile(bytes, { ...(given === undefined ? {} : { choices: given }) });
    expect(inspection.rows.taken + inspection.rows.left).toBe(table.rows + (table.wide?.count ?? 0));
    expect(JSON.parse(JSON.stringify(inspection.rows))).toEqual(inspection.rows);
  }
}

describe('a file of any content', () => {
  it('becomes a table and examples, or is refused by name', async () => {
    await fc.assert(
      fc.asyncProperty(text, choices, (bytes, given) => holds(Uint8Array.from(bytes), given as never)),
      { numRuns: 500 },
    );
  });

  it.each(['workbook.xlsx', 'snappy.parquet', 'zstd.parquet', 'gzip.parquet', 'none.parquet'])(
    'that was %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(damaged(real(name)), (bytes) => holds(Uint8Array.from(bytes), undefined)),
        { numRuns: 150 },
      );
    },
  );
});
