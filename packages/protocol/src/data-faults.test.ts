import { describe, expect, it } from 'vitest';
import { faultsOfData, NewDataSchemaSchema, warningsOfData } from './data-faults.ts';
import { type DataSchema, DataSchemaSchema } from './task.ts';

const houses = {
  kind: 'table',
  features: [
    { name: 'rooms', min: 1, max: 20 },
    { name: 'age', min: 0, max: 200, mean: 60, scale: 30 },
  ],
  target: { kind: 'number', name: 'price', unit: '$', min: 0, max: 1_000_000, mean: 2e5, scale: 9e4 },
} as const;

const read = (data: unknown): DataSchema => DataSchemaSchema.parse(data);
const faultOf = (change: object) =>
  faultsOfData(read({ ...houses, ...change })).map(({ path, message }) => `${path.join('.')}: ${message}`);

const kinds = { kind: 'class', name: 'kind', classes: ['cat', 'dog'] };

describe('a data schema that contradicts itself is refused', () => {
  it.each([
    ['nothing', {}, /^$/],
    [
      'two columns of one name',
      { features: [...houses.features, { name: 'age' }] },
      /^features\.2\.name: columns 2 and 3 have the same name, "age"/,
    ],
    [
      'names that differ by Unicode form alone',
      { features: [{ name: 'Gr\u00f6\u00dfe' }, { name: ' Gro\u0308\u00dfe' }] },
      /columns 1 and 2 have the same name/,
    ],
    [
      'the target among the features',
      { target: { kind: 'class', name: 'rooms', classes: ['a', 'b'] } },
      /^target\.name: the target "rooms" is also column 1 of the features/,
    ],
    [
      'an empty plausible range',
      { features: [{ name: 'rooms', min: 20, max: 1 }] },
      /^features\.0\.min: .*begins at 20 and ends at 1/,
    ],
    [
      'an empty plausible range of the target',
      { target: { ...houses.target, min: 2, max: 1 } },
      /^target\.min: .*"price"/,
    ],
    [
      'a scale that is a slip',
      { features: [{ name: 'rooms', scale: 1e-300 }] },
      /^features\.0\.scale: the scale of "rooms" is 1e-300/,
    ],
    ['a scale of the target', { target: { ...houses.target, scale: 1e300 } }, /^target\.scale/],
    ['a mean beyond float32', { features: [{ name: 'rooms', mean: -1e40 }] }, /^features\.0\.mean/],
    [
      'two classes of one name',
      { target: { ...kinds, classes: ['cat', 'dog', 'cat'] } },
      /^target\.classes: classes 1 and 3/,
    ],
    [
      'a result of an agreement',
      { scaling: 'agreed', agreed: { participants: 3, examples: 30 } },
      /^agreed: /,
    ],
    ['an agreed scaling beside a given one', { scaling: 'agreed' }, /^features\.1\.scale: .*"age" is given/],
    [
      'an agreed scaling without a range',
      { scaling: 'agreed', features: [{ name: 'rooms', min: 0 }], target: kinds },
      /^features\.0\.max: "rooms" needs a plausible range/,
    ],
    [
      'an agreed scaling of nothing',
      { scaling: 'agreed', features: [{ kind: 'category', name: 'colour', values: ['red'] }], target: kinds },
      /^scaling: there is no column of numbers/,
    ],
  ])('%s', (_what, change, wanted) => {
    const faults = faultOf(change);
    expect(faults.join('\n')).toMatch(wanted);
    expect(NewDataSchemaSchema.safeParse({ ...houses, ...change }).success).toBe(faults.length === 0);
  });
});

it('two ranges of one value, and names that differ by case, are no contradiction', () => {
  expect(faultOf({ features: [{ name: 'a', min: 1, max: 1 }, { name: 'A' }] })).toEqual([]);
});

describe('what is allowed and likely to be a slip is warned about', () => {
  const warned = (change: object) => warningsOfData(read({ ...houses, ...change }));

  it.each([
    ['a', 'A'],
    ['new york', 'New  York'],
    ['\uff21', 'a'],
    ['newyork', 'new york'],
  ])('classes %j and %j', (first, second) => {
    const classes = ['other', first, second];
    expect(warned({ target: { ...kinds, classes } })).toEqual([
      { kind: 'confusable-names', column: null, names: [first, second] },
    ]);
  });

  it('values of a column of categories', () => {
    const features = [{ kind: 'category', name: 'sex', values: ['F', 'f', 'm'] }];
    expect(warned({ features })).toEqual([{ kind: 'confusable-names', column: 'sex', names: ['F', 'f'] }]);
  });

  it('numbers that reach the model far from 1, unless their scaling is agreed', () => {
    const { mean: _mean, scale: _scale, ...target } = houses.target;
    expect(warned({})).toEqual([]);
    expect(warned({ target })).toEqual([{ kind: 'large-numbers', column: 'price', magnitude: 1_000_000 }]);
    expect(warned({ target, scaling: 'agreed' })).toEqual([]);
  });

  it('nothing else', () => {
    expect(warned({ target: { ...kinds, classes: ['1', '10', 'one', 'à', 'a'] } })).toEqual([]);
    expect(
      warningsOfData(read({ kind: 'image', width: 1, height: 1, channels: 1, classes: ['a', 'b'] })),
    ).toEqual([]);
  });
});
