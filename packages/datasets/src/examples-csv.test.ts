import { DataSchemaSchema, type TableData } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectExamples } from './examples.ts';
import { examplesCsv } from './examples-csv.ts';
import { normalise } from './normalise.ts';
import { readTable, takeRows } from './reading/index.ts';

const trees: TableData = {
  kind: 'table',
  features: [
    { kind: 'category', name: 'kind', values: ['oak', 'a "b", c'] },
    { name: 'height', mean: 1, scale: 2 },
  ],
  target: { kind: 'class', name: 'state', classes: ['dead', 'alive'] },
};

describe('examples as CSV', () => {
  it('have a column for each number of a target, and keep them together where some are chosen', () => {
    const columns = [{ name: 'age' }, { name: 'girth', unit: 'm' }];
    const data: TableData = { ...trees, target: { kind: 'numbers', name: 'size', columns } };
    const examples = {
      count: 2,
      features: Float32Array.of(0, 0.5, 1, -2),
      labels: Float32Array.of(30, 1.5, 40, 2),
    };
    expect(examplesCsv(examples, data).split('\n')).toEqual([
      '"kind","height","age","girth"',
      '"oak",0.5,30,1.5',
      '"a ""b"", c",-2,40,2',
      '',
    ]);
    expect([...selectExamples(examples, [1, 0]).labels]).toEqual([40, 2, 30, 1.5]);
    expect([...normalise(examples, data).ys]).toEqual([30, 1.5, 40, 2]);
  });

  it('have the names of categories and classes', () => {
    const examples = {
      count: 3,
      features: Float32Array.of(1, 0.5, 0, -2, 2, 3),
      labels: Float32Array.of(0, 1, 1),
    };
    expect(examplesCsv(examples, trees).split('\n')).toEqual([
      '"kind","height","state"',
      '"a ""b"", c",0.5,"dead"',
      '"oak",-2,"alive"',
      '"other",3,"alive"',
      '',
    ]);
  });

  it('have pixels and a class of pictures', () => {
    const picture = { kind: 'image', width: 2, height: 1, channels: 1, classes: ['x', 'y'] } as const;
    const examples = { count: 1, features: Uint8Array.of(0, 255), labels: Float32Array.of(1) };
    expect(examplesCsv(examples, { ...picture, classes: ['x', 'y'] })).toBe(
      '"pixel 1","pixel 2","class"\n0,255,"y"\n',
    );
  });

  const values = fc.uniqueArray(
    fc.oneof(fc.constantFrom('other', 'OTHER', '(other)', '((other))', '1', '"', ','), fc.string()),
    { minLength: 1, maxLength: 5, selector: (value) => value.normalize('NFC').trim() },
  );
  it('are read again as the same examples, whatever the categories are called', async () => {
    await fc.assert(
      fc.asyncProperty(
        values.filter((names) => names.every((name) => /\S/.test(name) && Number.isNaN(Number(name)))),
        fc.array(fc.tuple(fc.nat(5), fc.float({ noNaN: true, noDefaultInfinity: true })), { minLength: 1 }),
        async (names, rows) => {
          const data = DataSchemaSchema.parse({
            kind: 'table',
            features: [
              { name: 'x', mean: 3, scale: 2 },
              { kind: 'category', name: 'c', values: names },
            ],
            target: { kind: 'number', name: 'y', mean: 1, scale: 4 },
          });
          const examples = {
            count: rows.length,
            features: Float32Array.from(rows.flatMap(([c, x]) => [x + 0, Math.min(c, names.length)])),
            labels: Float32Array.from(rows, ([, x]) => x + 0),
          };
          const written = new TextEncoder().encode(examplesCsv(examples, data));
          const table = await readTable(written);
          const mapping = { features: [0, 1], target: 2 };
          const { count, features, labels, skipped } = takeRows(table, mapping, data as TableData);
          expect({ count, features, labels }).toEqual(examples);
          expect(skipped).toEqual([]);
        },
      ),
    );
  });
});
