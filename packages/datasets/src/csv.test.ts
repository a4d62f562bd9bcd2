import type { TableData } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMapping, previewCsv, readCsv, suggestMapping } from './csv.ts';

const flowers: TableData = {
  kind: 'table',
  features: [
    { name: 'sepal length', mean: 5, scale: 1, min: 0, max: 20 },
    { name: 'petal width', mean: 1, scale: 1 },
  ],
  target: { kind: 'class', name: 'species', classes: ['setosa', 'virginica'] },
};

const file = 'Species,Petal.Width,Sepal.Length\nsetosa,0.2,5.1\nVirginica,2.5,6.3\n';

describe('reading', () => {
  it('finds names, and says how much there is', () => {
    expect(previewCsv(file, { rows: 1 })).toEqual({
      columns: ['Species', 'Petal.Width', 'Sepal.Length'],
      hasHeader: true,
      rows: [['setosa', '0.2', '5.1']],
      total: 2,
    });
  });

  it.each([
    ['numbers in the first line', '1,2\n3,4', false],
    ['a name above numbers', 'a,b\n3,4', true],
    ['numbers beside words from the start', 'x,1\ny,2', false],
    ['words alone, all different', 'a,b\nc,d', true],
  ])('guesses the header: %s', (_, text, hasHeader) => {
    expect(readCsv(text).hasHeader).toBe(hasHeader);
    expect(readCsv(text, { header: !hasHeader }).hasHeader).toBe(!hasHeader);
  });

  it('takes semicolons, tabs, quotes, a byte order mark, Windows line ends and empty lines', () => {
    const expected = [
      ['1', '2, or so'],
      ['3', '4'],
    ];
    expect(readCsv('\uFEFFa;b\r\n1;"2, or so"\r\n\r\n3;4\r\n')).toMatchObject({
      columns: ['a', 'b'],
      rows: expected,
    });
    expect(readCsv('a\tb\n1\t"2, or so"\n3\t4').rows).toEqual(expected);
  });

  it('refuses what has no rows', () => {
    for (const text of ['', '\n\n']) {
      expect(() => readCsv(text)).toThrow(expect.objectContaining({ code: 'data-empty' }));
    }
    expect(() => readCsv('a,b\n', { header: true })).toThrow(expect.objectContaining({ code: 'data-empty' }));
  });
});

describe('mapping', () => {
  it.each([
    [['Species', 'Petal.Width', 'Sepal.Length'], { features: [2, 1], target: 0 }],
    [['id', 'sepal_length_cm', 'the species', 'PETAL WIDTH'], { features: [1, 3], target: 2 }],
    [['column 1', 'column 2', 'column 3'], { features: [0, 1], target: 2 }],
    [['species', 'column 2'], { features: [null, null], target: 0 }],
    [['a', 'b'], { features: [null, null], target: null }],
  ])('of %j', (columns, mapping) => {
    expect(suggestMapping(columns, flowers)).toEqual(mapping);
  });
});

describe('taking over', () => {
  const take = (text: string, data = flowers) => {
    const table = readCsv(text);
    return applyMapping(table, suggestMapping(table.columns, data), data);
  };

  it('reads classes by name or by index, and puts columns in the order of the schema', () => {
    expect(take(`${file}1,0.5,4\n`)).toEqual({
      count: 3,
      features: Float32Array.of(5.1, 0.2, 6.3, 2.5, 4, 0.5),
      labels: Float32Array.of(0, 1, 1),
      skipped: [],
    });
  });

  it('takes a class called by a number for its name, not for its index', () => {
    const data: TableData = {
      ...flowers,
      target: { kind: 'class', name: 'species', classes: ['2', '1', '0'] },
    };
    expect([...take('species,petal width,sepal length\n0,1,1\n1,1,1\n2,1,1', data).labels]).toEqual([
      2, 1, 0,
    ]);
  });

  it('lists each row it left out, with the cell to blame', () => {
    const { count, skipped } = take(
      'species,petal width,sepal length\nsetosa,,1\nsetosa,wide,1\nsetosa,1,21\nrosa,1,1\n2,1,1\n,1,1\nsetosa,1e39,1\nsetosa,1,1\n',
    );
    expect(count).toBe(1);
    expect(skipped).toEqual([
      { row: 2, why: { kind: 'missing', column: 'petal width', value: '' } },
      { row: 3, why: { kind: 'not-a-number', column: 'petal width', value: 'wide' } },
      { row: 4, why: { kind: 'out-of-range', column: 'sepal length', value: '21' } },
      { row: 5, why: { kind: 'unknown-class', column: 'species', value: 'rosa' } },
      { row: 6, why: { kind: 'unknown-class', column: 'species', value: '2' } },
      { row: 7, why: { kind: 'missing', column: 'species', value: '' } },
      { row: 8, why: { kind: 'not-a-number', column: 'petal width', value: '1e39' } },
    ]);
  });

  it('refuses a mapping with gaps, and a file of which no row fits', () => {
    const table = readCsv(file);
    expect(() => applyMapping(table, { features: [2, null], target: 0 }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-invalid', message: expect.stringContaining('petal width') }),
    );
    expect(() => applyMapping(table, { features: [2, 1], target: null }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-invalid', message: expect.stringContaining('species') }),
    );
    expect(() => applyMapping(table, { features: [0, 1], target: 2 }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-empty' }),
    );
  });

  it('gives back the numbers of any table that was written out', () => {
    const data: TableData = {
      kind: 'table',
      features: ['p', 'q'].map((name) => ({ name, mean: 0, scale: 1 })),
      target: { kind: 'number', name: 'r' },
    };
    const number = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number, number), { minLength: 1 }), (rows) => {
        const taken = take(`r,p,q\n${rows.map((row) => row.join(',')).join('\n')}`, data);
        expect(taken.skipped).toEqual([]);
        expect([...taken.labels]).toEqual(rows.map(([r]) => r));
        expect([...taken.features]).toEqual(rows.flatMap(([, p, q]) => [p, q]));
      }),
    );
  });
});
