import type { TableData } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import type { ReadingChoices } from './choices.ts';
import type { LabelMap } from './class-of-label.ts';
import { mapColumns } from './map-columns.ts';
import { proposeSchema } from './propose-schema.ts';
import { readTable } from './read-table.ts';
import { takeRows } from './take-rows.ts';

const read = (text: string, choices?: ReadingChoices) => readTable(new TextEncoder().encode(text), choices);

async function take(text: string, data: TableData, labels?: LabelMap) {
  const table = await read(text, { header: true });
  const {
    count,
    features,
    labels: targets,
    skipped,
    unlisted,
  } = takeRows(table, mapColumns(table, data), data, labels);
  return { count, features: [...features], labels: [...targets], skipped, unlisted };
}

const flowers: TableData = {
  kind: 'table',
  features: [
    { name: 'sepal length', mean: 5, scale: 1, min: 0, max: 20 },
    { name: 'petal width', mean: 1, scale: 1 },
  ],
  target: { kind: 'class', name: 'species', classes: ['setosa', 'virginica'] },
};

describe('mapping by names', () => {
  const columns = async (header: string) =>
    mapColumns(await read(`${header}\n${header.replace(/[^,]+/g, '1')}\n`, { header: true }), flowers);

  it.each<[string, string, (number | null)[]]>([
    ['equal names', 'petal width,species,sepal length', [2, 0, 1]],
    ['case, points and underscores', 'Petal.Width,SPECIES,sepal_length', [2, 0, 1]],
    ['equal names before folded ones', 'Species,species,Sepal Length,petal width', [2, 3, 1]],
    ['two folded names, so neither', 'Species,SPECIES,sepal length,petal width', [2, 3, null]],
    ['names that contain each other', 'the species,sepal length cm,width', [null, null, null]],
    ['spaces that are left out', 'sepallength,petalwidth,species', [null, null, 2]],
    ['other names in the same places', 'a,b,c', [null, null, null]],
  ])('%s', async (_, header, [first, second, target]) => {
    expect(await columns(header)).toEqual({ features: [first, second], target });
  });

  it('takes either Unicode form of a name', async () => {
    const data: TableData = { ...flowers, features: [{ name: 'Gr\u00f6\u00dfe', mean: 0, scale: 1 }] };
    const table = await read('Gro\u0308\u00dfe,species\n1,setosa\n');
    expect(mapColumns(table, data)).toEqual({ features: [0], target: 1 });
  });
});

describe('rows as examples', () => {
  const header = 'species,petal width,sepal length';

  it('are in the order of the schema', async () => {
    expect(await take(`${header}\nsetosa,0.25,5.5\nVirginica,2.5,6.25\n`, flowers)).toEqual({
      count: 2,
      features: [5.5, 0.25, 6.25, 2.5],
      labels: [0, 1],
      skipped: [],
      unlisted: [],
    });
  });

  it('are float32 where that holds them, else float64', async () => {
    const typeOf = async (value: string) => {
      const table = await read(`${header}\nsetosa,${value},5.5\n`);
      return takeRows(table, mapColumns(table, flowers), flowers).features.constructor;
    };
    expect(await typeOf('16777216')).toBe(Float32Array);
    expect(await typeOf('16777217')).toBe(Float64Array);
    expect(await typeOf('0.1')).toBe(Float64Array);
  });

  it('that do not fit are counted by reason, the most frequent first', async () => {
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
      'setosa,NA,1',
      'setosa,1,1,2',
      'setosa,1,1',
    ];
    const { count, skipped } = await take([header, ...rows].join('\n'), flowers);
    expect(count).toBe(1);
    expect(skipped).toEqual([
      { kind: 'not-a-number', column: 'petal width', value: 'wide', count: 3, firstRow: 3 },
      { kind: 'missing', column: 'petal width', value: '', count: 2, firstRow: 2 },
      { kind: 'unknown-class', column: 'species', value: 'rosa', count: 2, firstRow: 5 },
      { kind: 'out-of-range', column: 'sepal length', value: '21', count: 1, firstRow: 4 },
      { kind: 'unknown-class', column: 'species', value: '2', count: 1, firstRow: 6 },
      { kind: 'missing', column: 'species', value: '', count: 1, firstRow: 7 },
      { kind: 'too-many-cells', column: '', value: '2', count: 1, firstRow: 12 },
    ]);
  });

  it('are counted also where none fits', async () => {
    const { count, skipped } = await take(`${header}\nrosa,1,1\nrosa,2,1\n`, flowers);
    expect(count).toBe(0);
    expect(skipped).toEqual([
      { kind: 'unknown-class', column: 'species', value: 'rosa', count: 2, firstRow: 2 },
    ]);
  });

  const trees: TableData = {
    kind: 'table',
    features: [
      { kind: 'category', name: 'kind', values: ['Oak', '1', 'elm'] },
      { name: 'height', mean: 0, scale: 1, max: 50 },
      { kind: 'category', name: 'evergreen', values: ['yes', 'no'] },
      { name: 'felled', mean: 0, scale: 1 },
    ],
    target: { kind: 'number', name: 'age' },
  };

  it('have categories, booleans and dates', async () => {
    const rows = [
      'oak,10,Yes,1970-01-02,1',
      '1.0,10,no,1970-01-03,2',
      'ash,10,NO,2024-03-05,3',
      'ash,10,maybe,2024-03-05,4',
      ',10,no,2024-03-05,5',
      'elm,10,no,soon,6',
      // Rows that are left out are not counted as unlisted.
      'beech,60,no,2024-03-05,7',
    ];
    expect(await take(`kind,height,evergreen,felled,age\n${rows.join('\n')}\n`, trees)).toEqual({
      count: 4,
      features: [0, 10, 0, 1, 1, 10, 1, 2, 3, 10, 1, 19787, 3, 10, 2, 19787],
      labels: [1, 2, 3, 4],
      skipped: [
        { kind: 'missing', column: 'kind', value: '', count: 1, firstRow: 6 },
        { kind: 'not-a-number', column: 'felled', value: 'soon', count: 1, firstRow: 7 },
        { kind: 'out-of-range', column: 'height', value: '60', count: 1, firstRow: 8 },
      ],
      unlisted: [
        { column: 'kind', value: 'ash', count: 2, firstRow: 4 },
        { column: 'evergreen', value: 'maybe', count: 1, firstRow: 5 },
      ],
    });
  });

  it('of a column beyond its dictionary are the same as within it', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => `${i},${i % 3 === 0 ? 'setosa' : 'virginica'}`);
    const data: TableData = { ...flowers, features: [{ name: 'n', mean: 0, scale: 1, max: 9_990 }] };
    const { count, features, labels, skipped } = await take(`n,species\n${rows.join('\n')}\n`, data);
    expect(count).toBe(9_991);
    expect(features).toEqual(Array.from({ length: 9_991 }, (_, i) => i));
    expect(labels).toEqual(Array.from({ length: 9_991 }, (_, i) => (i % 3 === 0 ? 0 : 1)));
    expect(skipped).toEqual([
      { kind: 'out-of-range', column: 'n', value: '9991', count: 9, firstRow: 9_993 },
    ]);
  });

  it('have as many labels as the task has targets', async () => {
    const data: TableData = {
      kind: 'table',
      features: [{ name: 'x', mean: 0, scale: 1 }],
      target: { kind: 'numbers', name: 'position', columns: [{ name: 'lat' }, { name: 'long' }] },
    };
    expect(await take('long,x,lat\n1,2,3\n4,5,far\n7,8,9\n', data)).toMatchObject({
      count: 2,
      features: [2, 8],
      labels: [3, 1, 9, 7],
      skipped: [{ kind: 'not-a-number', column: 'lat', value: 'far', count: 1, firstRow: 3 }],
    });
    await expect(take('x,lat\n1,2\n', data)).rejects.toMatchObject({
      message: expect.stringContaining('"long"'),
    });
  });

  it('refuse a mapping with gaps', async () => {
    const table = await read(`${header}\nsetosa,1,1\n`);
    expect(() => takeRows(table, { features: [2, null], target: 0 }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-invalid', message: expect.stringContaining('petal width') }),
    );
    expect(() => takeRows(table, { features: [2, 1], target: null }, flowers)).toThrow(
      expect.objectContaining({ code: 'data-invalid', message: expect.stringContaining('species') }),
    );
  });
});

describe('labels', () => {
  const named = (...classes: string[]): TableData => ({
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'class', name: 'kind', classes },
  });
  const labelled = async (classes: string[], labels: string[], map?: LabelMap) => {
    const rows = labels.map((label, i) => `${i + 1};"${label}"`);
    const {
      features,
      labels: taken,
      skipped,
    } = await take(`x;kind\n${rows.join('\n')}\n`, named(...classes), map);
    return {
      taken: taken.map((label, i) => [features[i], classes[label]]),
      left: Object.fromEntries(skipped.map(({ value, count }) => [value, count])),
    };
  };

  it.each<[string, string[], string[], [number, string][], Record<string, number>]>([
    [
      'whole numbers written as floats',
      ['1', '2'],
      ['1.0', '02', '3'],
      [
        [1, '1'],
        [2, '2'],
      ],
      { '3': 1 },
    ],
    [
      'floats for classes of whole numbers, with commas',
      ['1', '2'],
      ['1,0', '2,0'],
      [
        [1, '1'],
        [2, '2'],
      ],
      {},
    ],
    [
      'names before numbers',
      ['1,5', '1.5'],
      ['1,5', '1.5'],
      [
        [1, '1,5'],
        [2, '1.5'],
      ],
      {},
    ],
    ['indices for names', ['yes', 'no'], ['1', '0', 'no'], [[3, 'no']], { '1': 1, '0': 1 }],
    [
      'one case each',
      ['a', 'A'],
      ['a', 'A'],
      [
        [1, 'a'],
        [2, 'A'],
      ],
      {},
    ],
    [
      'another case',
      ['Ja', 'Nein'],
      ['ja', 'NEIN'],
      [
        [1, 'Ja'],
        [2, 'Nein'],
      ],
      {},
    ],
    [
      'a decomposed form',
      ['\u00c4pfel', 'b'],
      ['A\u0308pfel', 'b'],
      [
        [1, '\u00c4pfel'],
        [2, 'b'],
      ],
      {},
    ],
  ])('%s', async (_, classes, labels, taken, left) => {
    expect(await labelled(classes, labels)).toEqual({ taken, left });
  });

  it('follow a person: their word is the last, and they may leave labels out', async () => {
    expect(
      await labelled(['1', '2', '3'], ['0', '1', '2', '7'], { '0': '1', '1': '2', '2': '3', '7': null }),
    ).toEqual({
      taken: [
        [1, '1'],
        [2, '2'],
        [3, '3'],
      ],
      left: { '7': 1 },
    });
    expect(await labelled(['a', 'b'], ['toString', 'a'], { b: 'a' })).toEqual({
      taken: [[2, 'a']],
      left: { toString: 1 },
    });
  });
});

describe('a proposed schema', () => {
  const propose = async (text: string, target?: string) => proposeSchema(await read(text), { target });

  it('has scaling, ranges and categories, and says what it leaves out', async () => {
    const rows = Array.from({ length: 12 }, (_, i) =>
      [
        i,
        ['red', 'green', 'blue'][i % 3],
        i * 2,
        `note ${i}`,
        'same',
        '',
        i % 2 === 0 ? 'yes' : 'no',
        `2024-03-${10 + i}`,
        i % 4,
      ].join(','),
    );
    const { data, leftOut } = await propose(`id,colour,n,note,one,none,ripe,day,kind\n${rows.join('\n')}\n`);
    const deviation = Math.sqrt(143 / 12);
    expect(data).toEqual({
      kind: 'table',
      features: [
        { kind: 'category', name: 'colour', values: ['blue', 'green', 'red'] },
        { kind: 'number', name: 'n', mean: 11, scale: expect.closeTo(2 * deviation, 12), min: 0, max: 22 },
        { kind: 'category', name: 'ripe', values: ['no', 'yes'] },
        {
          kind: 'number',
          name: 'day',
          mean: 19797.5,
          scale: expect.closeTo(deviation, 12),
          min: 19792,
          max: 19803,
        },
      ],
      target: { kind: 'class', name: 'kind', classes: ['0', '1', '2', '3'] },
    });
    expect(leftOut).toEqual([
      { name: 'id', reason: 'index' },
      { name: 'note', reason: 'all-different' },
      { name: 'one', reason: 'one-value' },
      { name: 'none', reason: 'empty' },
    ]);
  });

  it('leaves out columns that no scaling brings near 1, and refuses such a target', async () => {
    const text = 'size,x,kind\n1e35,1,a\n-1e35,2,b\n2e35,3,a\n';
    const { data, leftOut } = await propose(text);
    expect(data.features.map(({ name }) => name)).toEqual(['x']);
    expect(leftOut).toEqual([{ name: 'size', reason: 'extreme-values' }]);
    const rows = Array.from({ length: 30 }, (_, at) => `${at},${at + 1}e33`);
    await expect(propose(`x,size\n${rows.join('\n')}\n`)).rejects.toMatchObject({ code: 'data-invalid' });
  });

  it.each<[string, string[], TableData['target']]>([
    ['texts', ['b', 'a', 'B', 'b'], { kind: 'class', name: 'y', classes: ['B', 'a', 'b'] }],
    [
      'whole numbers, also as floats',
      ['10.0', '2', '2.0', '1'],
      { kind: 'class', name: 'y', classes: ['1', '2', '10'] },
    ],
    [
      'whole numbers and missing ones',
      ['1', 'NA', '', '2'],
      { kind: 'class', name: 'y', classes: ['1', '2'] },
    ],
    [
      'numbers',
      ['1.5', '2', '3', '3.5'],
      { kind: 'number', name: 'y', mean: 2.5, scale: Math.sqrt(2.5 / 4), min: 1.5, max: 3.5 },
    ],
    [
      'commas',
      ['1,5', '2', '3', '3,5'],
      { kind: 'number', name: 'y', mean: 2.5, scale: Math.sqrt(2.5 / 4), min: 1.5, max: 3.5 },
    ],
    [
      '21 whole numbers',
      Array.from({ length: 21 }, (_, i) => String(i)),
      {
        kind: 'number',
        name: 'y',
        mean: 10,
        scale: expect.closeTo(Math.sqrt(440 / 12), 12) as number,
        min: 0,
        max: 20,
      },
    ],
  ])('learns %s', async (_, values, target) => {
    const rows = values.map((value, i) => `${i % 2};${value}`);
    expect((await propose(`x;y\n${rows.join('\n')}\n`)).data.target).toEqual(target);
    expect(
      (await propose(`y;x\n${rows.map((row) => row.split(';').reverse().join(';')).join('\n')}\n`, 'y')).data
        .target,
    ).toEqual(target);
  });

  it('takes its own rows', async () => {
    const text = 'sex,age,fare,survived\nmale,22,7.25,0\nfemale,38,71.28,1\nmale,26,8,1\nfemale,22,,0\n';
    const table = await read(text);
    const { data } = proposeSchema(table);
    const { count, unlisted } = takeRows(table, mapColumns(table, data), data);
    expect([count, unlisted]).toEqual([3, []]);
  });

  it('lists the 50 most frequent values of a column', async () => {
    const rows = Array.from({ length: 60 }, (_, i) =>
      Array.from({ length: i < 50 ? 3 : 2 }, () => `v${i},a\nv${i},b`),
    ).flat();
    const { data } = await propose(`c,y\n${rows.join('\n')}\n`);
    const [feature] = data.features;
    expect(feature?.kind === 'category' && [...feature.values].sort()).toEqual(
      Array.from({ length: 50 }, (_, i) => `v${i}`).sort(),
    );
  });

  it('keeps a column that counts where there is no other', async () => {
    expect((await propose('id,y\n1,a\n2,b\n3,a\n')).data.features).toMatchObject([{ name: 'id' }]);
  });

  it('refuses what cannot be learnt', async () => {
    for (const [text, target] of [
      ['x,y\n1,a\n2,a\n', undefined],
      ['x,y\n1,a\n2,b\n', 'z'],
      ['y\na\nb\n', undefined],
    ] as const)
      await expect(propose(text, target)).rejects.toMatchObject({ code: 'data-invalid' });
  });
});
