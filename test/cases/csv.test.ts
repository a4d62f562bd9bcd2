import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CellValue,
  type InspectedReason,
  type Inspection,
  inspectFile,
  mapByOrder,
  mapColumns,
  readTable,
  takeRows,
} from '@coppice/datasets/reading';
import type { Feature, TableData } from '@coppice/protocol';
import { afterAll, describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('csv', import.meta.url));
const read = (name: string) => readFileSync(join(folder, name));

const numbers = (...names: string[]): Feature[] => names.map((name) => ({ name, mean: 0, scale: 1 }));
const schema = (features: Feature[], target: string, classes: string[] | null): TableData => ({
  kind: 'table',
  features,
  target: classes === null ? { kind: 'number', name: target } : { kind: 'class', name: target, classes },
});

/** What a file becomes under a task of its own names. */
interface Outcome {
  readonly data: TableData;
  readonly taken: number;
  readonly reasons?: readonly InspectedReason[];
  readonly classes: Readonly<Record<string, number>> | null;
  readonly first: readonly (readonly CellValue[])[];
  readonly form?: Partial<Pick<Inspection, 'encoding' | 'separator' | 'decimal' | 'header'>>;
  readonly index?: readonly string[];
}

const melons = { '0': 2, '1': 2 };
const outcomes: Readonly<Record<string, Outcome>> = {
  'labels-as-floats.csv': {
    data: schema(numbers('area'), 'kind', ['1', '2', '3']),
    taken: 4,
    classes: { '1': 2, '2': 1, '3': 1 },
    first: [
      [15.2, 1],
      [14.1, 2],
    ],
  },
  'labels-from-one-given-by-name-zero.csv': {
    data: schema(numbers('area'), 'kind', ['1', '2', '3']),
    taken: 2,
    reasons: [{ reason: 'unknown-class', count: 1, row: 2, column: 'kind', value: '0' }],
    classes: { '1': 1, '2': 1, '3': 0 },
    first: [[15.2, 0]],
  },
  'classes-differ-by-case.csv': {
    data: schema(numbers('x'), 'kind', ['a', 'A', 'b', 'B']),
    taken: 4,
    classes: { a: 1, A: 1, b: 1, B: 1 },
    first: [
      [1, 'a'],
      [2, 'A'],
    ],
  },
  'gbk-with-id-first-and-numeric-classes.csv': {
    data: schema(numbers('密度', '含糖率'), '好瓜', ['0', '1']),
    taken: 4,
    classes: melons,
    first: [[1, 0.697, 1, 1]],
    form: { encoding: 'gb18030', separator: ',' },
  },
  'gbk.csv': {
    data: schema(numbers('密度', '含糖率'), '好瓜', ['是', '否']),
    taken: 2,
    classes: { 是: 1, 否: 1 },
    first: [
      [0.697, 0.46, '是'],
      [0.666, 0.091, '否'],
    ],
    form: { encoding: 'gb18030' },
  },
  'decimal-comma-two-columns.csv': {
    data: schema(numbers('amount'), 'next', null),
    taken: 3,
    classes: null,
    first: [
      ['a', 1.5, 2.25],
      ['b', 2.75, 3.5],
      ['c', 3, 4],
    ],
    form: { separator: ';', decimal: ',' },
  },
  'categorical-feature.csv': {
    data: schema(
      [{ kind: 'category', name: 'sex', values: ['female', 'male'] }, ...numbers('age')],
      'survived',
      ['0', '1'],
    ),
    taken: 2,
    reasons: [{ reason: 'missing', count: 1, row: 4, column: 'age', value: '' }],
    classes: { '0': 1, '1': 1 },
    first: [
      ['male', 22, 0],
      ['female', 38, 1],
      ['female', null, 1],
    ],
  },
  'pandas-unnamed-columns.csv': {
    data: schema(numbers('0', '1'), '2', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[0, 5.1, 3.5, 'a']],
    form: { header: true },
    index: ['column 1'],
  },
  'excel-sep-line.csv': {
    data: schema(numbers('length', 'width'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[5.1, 3.5, 'a']],
    form: { separator: ';' },
  },
  'comment-lines.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[5.1, 'a']],
  },
  'spaces.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[5.1, 'a']],
    form: { separator: ' ' },
  },
  'thousands-and-currency.csv': {
    data: schema(numbers('price'), 'rooms', null),
    taken: 4,
    reasons: [{ reason: 'not-a-number', count: 1, row: 4, column: 'price', value: '12%' }],
    classes: null,
    first: [
      [1234, 3],
      [2500, 4],
      ['12%', 5],
      [1234, 6],
      [999, 7],
    ],
  },
  'label-nfd.csv': {
    data: schema(numbers('x'), 'kind', ['\u00c4pfel', 'Birnen']),
    taken: 2,
    classes: { '\u00c4pfel': 1, Birnen: 1 },
    first: [[1, 'A\u0308pfel']],
  },
  'age-taken-from-percentage.csv': {
    data: schema(numbers('age'), 'kind', ['a', 'b']),
    taken: 0,
    reasons: [{ reason: 'no-column', count: 2, row: 2, column: 'age', value: '' }],
    classes: { a: 0, b: 0 },
    first: [[55, 1000, 'a']],
  },
  'unix-time.csv': {
    data: schema(numbers('time'), 'value', null),
    taken: 3,
    classes: null,
    first: [
      [1700000000, 1],
      [1700000030, 2],
      [1700000060, 3],
    ],
  },
  'house-large-values.csv': {
    data: schema(numbers('rooms', 'area', 'lat'), 'price', null),
    taken: 40,
    classes: null,
    first: [
      [3, 41190, 47.369955, 90],
      [8, 89157, 47.62572, 57],
    ],
  },
  'quoted-newlines-semicolon.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [['first, line\nsecond, line, more\nthird, line', 5.1, 'a']],
    form: { separator: ';' },
  },
  'commas-in-header-semicolon.csv': {
    data: schema(numbers('length (cm, required)', 'width (cm, required)'), 'kind (one, of, two)', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[5.1, 3.5, 'x', 'a']],
    form: { separator: ';', decimal: '.' },
  },
  'cr-only.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[5.1, 'a']],
  },
  'pipe.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[5.1, 'a']],
    form: { separator: '|' },
  },
  'r-row-names.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[1, 5.1, 'a']],
    index: ['column 1'],
  },
  'duplicate-names.csv': {
    data: schema(numbers('x', 'x.1'), 'kind', ['a', 'b']),
    taken: 2,
    classes: { a: 1, b: 1 },
    first: [[1, 10, 'a']],
  },
  'summary-row.csv': {
    data: schema(numbers('length'), 'kind', ['a', 'b']),
    taken: 2,
    reasons: [{ reason: 'not-a-number', count: 1, row: 4, column: 'length', value: 'Total' }],
    classes: { a: 1, b: 1 },
    first: [
      [5.1, 'a'],
      [4.9, 'b'],
      ['Total', null],
    ],
  },
  'no-target.csv': {
    data: schema(numbers('length', 'width'), 'kind', ['a', 'b']),
    taken: 0,
    reasons: [{ reason: 'no-column', count: 2, row: 2, column: 'kind', value: '' }],
    classes: { a: 0, b: 0 },
    first: [[5.1, 3.5]],
  },
};

const scratch = mkdtempSync(join(tmpdir(), 'coppice-cases-'));
afterAll(async () => (await import('node:fs/promises')).rm(scratch, { recursive: true }));

/** `pnpm data …`. */
function data(...args: string[]): Promise<{ code: number; out: string; told: string }> {
  const main = fileURLToPath(new URL('../../apps/simulate/src/data/main.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (failure, out, told) =>
      resolve({ code: failure === null ? 0 : Number(failure.code), out, told }),
    );
  });
}

describe('small inputs', () => {
  it('are all in the table', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.csv'));
    expect(Object.keys(outcomes).sort()).toEqual(files.sort());
  });

  it.each(Object.entries(outcomes))(
    '%s',
    async (name, { data: task, taken, reasons = [], classes, first, form, index = [] }) => {
      const { inspection } = await inspectFile(read(name), { data: task });
      expect(inspection).toMatchObject({ encoding: 'utf-8', header: true, ...form, reasons, classes });
      expect(inspection.rows.taken).toBe(taken);
      expect(inspection.first.slice(0, first.length)).toEqual(first);
      expect(inspection.columns.filter(({ role }) => role === 'index').map((column) => column.name)).toEqual(
        index,
      );
    },
  );

  it('keep numbers exactly until they are scaled', async () => {
    const table = await readTable(read('unix-time.csv'));
    const task = schema(numbers('time'), 'value', null);
    expect([...takeRows(table, mapColumns(table, task), task).features]).toEqual([
      1700000000, 1700000030, 1700000060,
    ]);
    const houses = await readTable(read('house-large-values.csv'));
    const lat = schema(numbers('lat'), 'price', null);
    expect(takeRows(houses, mapColumns(houses, lat), lat).features[1]).toBe(47.62572);
  });
});

describe('pnpm data inspect', () => {
  const tasks = Object.entries(outcomes).map(([name, { data }], at) => {
    const path = join(scratch, `${at}.json`);
    writeFileSync(path, JSON.stringify({ id: 'own', data }));
    return [name, path] as const;
  });

  it.each(tasks)('%s', async (name, task) => {
    const { taken, classes, reasons = [] } = outcomes[name] as Outcome;
    const { code, out } = await data('inspect', join(folder, name), '--task', task, '--json');
    expect(code).toBe(taken > 0 ? 0 : 3);
    expect(out.endsWith('}\n')).toBe(true);
    const told = JSON.parse(out) as Inspection;
    expect(Object.keys(told)).toEqual([
      'encoding',
      'separator',
      'decimal',
      'header',
      'columns',
      'rows',
      'reasons',
      'classes',
      'first',
    ]);
    expect(told).toMatchObject({ classes, reasons, rows: { taken } });
    const { inspection } = await inspectFile(read(name), { data: (outcomes[name] as Outcome).data });
    expect(told).toEqual(JSON.parse(JSON.stringify(inspection)));
  });

  it('tells a person the same, and refuses bad usage', async () => {
    const file = join(folder, 'thousands-and-currency.csv');
    const shown = await data('inspect', file, '--target', 'rooms');
    expect(shown).toMatchObject({ code: 0, told: '' });
    expect(shown.out).toContain('4 rows taken, 1 left out');
    expect(shown.out).toMatch(/not a number +1 +4 +price +12%/);
    for (const args of [
      [],
      ['inspect'],
      ['read', file],
      ['inspect', join(folder, 'none.csv')],
      ['inspect', file, '--task', 'no-such-task'],
      ['inspect', file, '--task', 'mnist-2nn'],
      ['inspect', file, '--task', 'iris', '--target', 'rooms'],
      ['inspect', file, '--separator', 'x'],
      ['inspect', file, '--wrong'],
    ]) {
      const { code, out, told } = await data(...args);
      expect([code, out], args.join(' ')).toEqual([2, '']);
      expect(told).not.toBe('');
    }
  });

  it('takes what a person decides', async () => {
    const path = join(scratch, 'chosen.csv');
    writeFileSync(path, 'a|b;c\n1|2;x\n3|4;y\n');
    const { out } = await data('inspect', path, '--json', '--separator', 'pipe', '--header', 'no');
    expect(JSON.parse(out)).toMatchObject({
      separator: '|',
      header: false,
      first: [
        ['a', 'b;c'],
        [1, '2;x'],
        [3, '4;y'],
      ],
    });
  });

  it('refuses other files by their name', async () => {
    const picture = join(scratch, 'picture.csv');
    writeFileSync(picture, Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    expect(await data('inspect', picture, '--json')).toMatchObject({
      code: 3,
      out: '',
      told: expect.stringContaining('PNG'),
    });
  });
});

interface Expected {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CellValue[])[];
}

describe('files as people have them, read as pandas reads them', () => {
  const expected = JSON.parse(read('real/expected.json').toString()) as Record<string, Expected>;
  const forms: Readonly<Record<string, Partial<Record<string, unknown>>>> = {
    'air-quality.csv': { separator: ';', decimal: ',' },
    'watermelon-gbk.csv': { encoding: 'gb18030' },
    'names-gbk.csv': { encoding: 'gb18030' },
    'watermelon-utf-8-mark.csv': { encoding: 'utf-8' },
    'watermelon-utf-16le.txt': { encoding: 'utf-16le', separator: '\t' },
    'watermelon-utf-16be.txt': { encoding: 'utf-16be', separator: '\t' },
    'shop-big5.csv': { encoding: 'big5' },
    'haeuser-windows-1252.csv': { encoding: 'windows-1252', decimal: ',', thousands: '.' },
    'stations-windows-1252.csv': { encoding: 'windows-1252', decimal: ',' },
    'encuesta-windows-1252.csv': { encoding: 'windows-1252', decimal: '.' },
    'iris.data': { header: false },
    'adult.data': { header: false },
    'german.data': { header: false, separator: ' ' },
    'report-with-titles.csv': { titleRows: 2 },
    'numpy-savetxt.txt': { comment: '#', header: true },
    'single-quotes.csv': { quote: "'" },
    'stray-quotes.tsv': { quote: null },
    'workbook.xlsx': {
      kind: 'xlsx',
      sheets: ['Mess & Werte', 'zweites'],
      sheet: 'Mess & Werte',
      titleRows: 2,
    },
    'zstd.parquet': { kind: 'parquet' },
  };

  it.each(Object.entries(expected))('%s', async (name, { columns, rows }) => {
    for (const file of [read(`real/${name}`), new Blob([read(`real/${name}`)])]) {
      const table = await readTable(file);
      expect(table.reading).toMatchObject(forms[name] ?? {});
      expect(table.columns.map((column) => column.name)).toEqual(columns);
      const cells = Array.from({ length: table.rows }, (_, row) =>
        table.columns.map((column) => column.cellAt(row)),
      );
      expect(cells).toEqual(rows);
    }
  });

  it('reads the sheet that was chosen', async () => {
    const table = await readTable(read('real/workbook.xlsx'), { sheet: 'zweites' });
    expect(table.columns.map(({ name }) => name)).toEqual(['x', 'y']);
    await expect(readTable(read('real/workbook.xlsx'), { sheet: 'none' })).rejects.toMatchObject({
      code: 'data-invalid',
    });
  });

  it('maps a file without a header by the order of the schema only where that is asked for', async () => {
    const task = schema(numbers('a', 'b', 'c', 'd'), 'kind', [
      'Iris-setosa',
      'Iris-versicolor',
      'Iris-virginica',
    ]);
    const table = await readTable(read('real/iris.data'));
    expect(mapColumns(table, task)).toEqual({ features: [null, null, null, null], target: null });
    expect(takeRows(table, mapByOrder(table, task) as never, task).count).toBe(4);
    expect(mapByOrder(table, schema(numbers('a', 'b'), 'kind', ['a', 'b']))).toBeNull();
  });
});
