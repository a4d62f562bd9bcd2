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

  it('reads classes by name, and puts columns in the order of the schema', () => {
    expect(take(`${file}SETOSA,0.5,4\n`)).toEqual({
      count: 3,
      features: Float64Array.of(5.1, 0.2, 6.3, 2.5, 4, 0.5),
      labels: Float32Array.of(0, 1, 0),
      skipped: [],
      unlisted: [],
    });
  });

  const trees: TableData = {
    kind: 'table',
    features: [
      { kind: 'category', name: 'kind', values: ['Oak', '1', 'elm'] },
      { name: 'height', mean: 0, scale: 1, max: 50 },
      { kind: 'category', name: 'soil', values: ['clay'] },
    ],
    target: { kind: 'number', name: 'age' },
  };

  it('reads categories as it reads classes, and counts what the task does not list as any other value', () => {
    const rows = [
      'oak,10,clay,1',
      '1.0,10,loam,2',
      'elm,10,clay,3',
      'ash,10,clay,4',
      'ash,10,loam,5',
      // Rows that are left out are not counted as unlisted.
      'ash,60,clay,6',
      ',10,clay,7',
      'elm,10,,8',
      'ash,10,clay,old',
    ];
    expect(take(`kind,height,soil,age\n${rows.join('\n')}\n`, trees)).toEqual({
      count: 5,
      features: Float32Array.from([0, 10, 0, 1, 10, 1, 2, 10, 0, 3, 10, 0, 3, 10, 1]),
      labels: Float32Array.of(1, 2, 3, 4, 5),
      skipped: [
        { kind: 'out-of-range', column: 'height', value: '60', count: 1, firstRow: 7 },
        { kind: 'missing', column: 'kind', value: '', count: 1, firstRow: 8 },
        { kind: 'missing', column: 'soil', value: '', count: 1, firstRow: 9 },
        { kind: 'not-a-number', column: 'age', value: 'old', count: 1, firstRow: 10 },
      ],
      unlisted: [
        { column: 'soil', value: 'loam', count: 2, firstRow: 3 },
        { column: 'kind', value: 'ash', count: 2, firstRow: 5 },
      ],
    });
  });

  /** `x` takes the row's number, so that it is seen which rows were taken. */
  const labelled = (classes: readonly string[], labels: readonly string[]) => {
    const data: TableData = {
      kind: 'table',
      features: [{ name: 'x', mean: 0, scale: 1 }],
      target: { kind: 'class', name: 'kind', classes: [...classes] },
    };
    const rows = labels.map((label, i) => `${i + 1},"${label}"`);
    const { features, labels: taken, skipped } = take(`x,kind\n${rows.join('\n')}\n`, data);
    return {
      taken: [...taken].map((label, i) => [features[i], classes[label]]),
      left: Object.fromEntries(skipped.map(({ value, count }) => [value, count])),
    };
  };

  it.each<[string, string[], string[], [number, string][], Record<string, number>]>([
    [
      'whole numbers written as floats',
      ['1', '2', '3'],
      ['1.0', '2.0', '3.0', '1.0'],
      [
        [1, '1'],
        [2, '2'],
        [3, '3'],
        [4, '1'],
      ],
      {},
    ],
    [
      'classes from 1, labels from 0',
      ['1', '2', '3'],
      ['0', '1', '2', '0'],
      [
        [2, '1'],
        [3, '2'],
      ],
      { '0': 2 },
    ],
    [
      'numbers for classes with words for names',
      ['yes', 'no'],
      ['1', '0', 'no', '1'],
      [[3, 'no']],
      { '1': 2, '0': 1 },
    ],
    ['classes 2 and 4, another column', ['2', '4'], ['1', '1', '2', '10'], [[3, '2']], { '1': 2, '10': 1 }],
    [
      'classes that differ by case',
      ['a', 'A', 'b', 'B'],
      ['a', 'A', 'b', 'B'],
      [
        [1, 'a'],
        [2, 'A'],
        [3, 'b'],
        [4, 'B'],
      ],
      {},
    ],
    [
      'a decomposed label',
      ['\u00c4pfel', 'Birnen'],
      ['A\u0308pfel', 'birnen'],
      [
        [1, '\u00c4pfel'],
        [2, 'Birnen'],
      ],
      {},
    ],
  ])('takes labels for names and for nothing else: %s', (_, classes, labels, taken, left) => {
    expect(labelled(classes, labels)).toEqual({ taken, left });
  });

  it('takes classes called 0 and 1 under Chinese names of columns', () => {
    const data: TableData = {
      kind: 'table',
      features: ['密度', '含糖率'].map((name) => ({ name, mean: 0, scale: 1 })),
      target: { kind: 'class', name: '好瓜', classes: ['0', '1'] },
    };
    const text = '编号,密度,含糖率,好瓜\n1,0.697,1,1\n2,0.774,0,1\n3,0.634,1,0\n4,0.608,0,0\n';
    expect([...take(text, data).labels]).toEqual([1, 1, 0, 0]);
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

  it('counts the rows it left out by reason, the most frequent first', () => {
    const header = 'species,petal width,sepal length';
    const rows = [
      'setosa,,1',
      'setosa,wide,1',
      'setosa,1,21',
      'rosa,1,1',
      '2,1,1',
      ',1,1',
      'setosa,1e39,1',
      'rosa,2,1',
      'setosa,wider,1',
      'setosa,1,1',
    ];
    const { count, skipped } = take([header, ...rows].join('\n'));
    expect(count).toBe(1);
    expect(skipped).toEqual([
      { kind: 'not-a-number', column: 'petal width', value: 'wide', count: 3, firstRow: 3 },
      { kind: 'unknown-class', column: 'species', value: 'rosa', count: 2, firstRow: 5 },
      { kind: 'missing', column: 'petal width', value: '', count: 1, firstRow: 2 },
      { kind: 'out-of-range', column: 'sepal length', value: '21', count: 1, firstRow: 4 },
      { kind: 'unknown-class', column: 'species', value: '2', count: 1, firstRow: 6 },
      { kind: 'missing', column: 'species', value: '', count: 1, firstRow: 7 },
    ]);
  });

  it('says why where no row fits', () => {
    const data: TableData = {
      kind: 'table',
      features: [{ name: 'amount', mean: 0, scale: 1 }],
      target: { kind: 'number', name: 'next' },
    };
    expect(take('day;amount;next\na;1,5;2,25\nb;2,75;3,5\n', data)).toEqual({
      count: 0,
      features: new Float32Array(),
      labels: new Float32Array(),
      skipped: [{ kind: 'not-a-number', column: 'amount', value: '1,5', count: 2, firstRow: 2 }],
      unlisted: [],
    });
  });

  it('keeps numbers that float32 has not exactly', () => {
    const data: TableData = {
      kind: 'table',
      features: [{ name: 'time', mean: 0, scale: 1 }],
      target: { kind: 'number', name: 'value' },
    };
    const { features } = take('time,value\n1700000000,1\n1700000030,2\n1700000060,3\n', data);
    expect([...features]).toEqual([1_700_000_000, 1_700_000_030, 1_700_000_060]);
  });

  it('refuses a mapping with gaps', () => {
    const table = readCsv(file);
    expect(() => applyMapping(table, { features: [2, null], target: 0 }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-invalid', message: expect.stringContaining('petal width') }),
    );
    expect(() => applyMapping(table, { features: [2, 1], target: null }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-invalid', message: expect.stringContaining('species') }),
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
