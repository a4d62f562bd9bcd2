import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CreateTaskSchema } from './api/http.ts';
import { classFinder, sameClass } from './class-names.ts';
import { sampleTask } from './testing/index.ts';

const decomposed = 'A\u0308pfel';
const composed = '\u00c4pfel';

describe('the class that a label names', () => {
  it.each<[string, readonly string[], Record<string, number | null>]>([
    ['numbers by value, in any form', ['1', '2', '3'], { '1.0': 0, '02': 1, '3.': 2, '+1': 0, '2e0': 1 }],
    ['no number as an index', ['1', '2', '3'], { '0': null, '4': null, '1.5': null, '-1': null }],
    ['no number as an index of words', ['yes', 'no'], { '0': null, '1': null, '1.0': null }],
    ['class names written as floats', ['0.0', '1.0'], { '0': 0, '-0': 0, '1': 1, '.0': 0 }],
    ['names in the order of the task', ['2', '1', '0'], { '0': 2, '1': 1, '2': 0 }],
    [
      'hexadecimal and words as text',
      ['1', '16'],
      { '0x10': null, Infinity: null, '': null, '.': null, e1: null },
    ],
    ['exact case first', ['a', 'A', 'b', 'B'], { a: 0, A: 1, b: 2, B: 3 }],
    ['another case where one class fits', ['Oak', 'ash', 'Ash'], { OAK: 0, oak: 0, ASH: null, ash: 1 }],
    [
      'composed and decomposed characters',
      [composed, 'x'],
      { [decomposed]: 0, [decomposed.toUpperCase()]: 0 },
    ],
    ['decomposed names', [decomposed, 'x'], { [composed]: 0 }],
    ['white space around either', [' oak', 'x'], { oak: 0, ' oak ': 0 }],
    ['a name that two classes share as neither', ['cat', 'dog', 'cat'], { cat: null, dog: 1 }],
    ['long identifiers by all their digits', ['9007199254740993', '7'], { '9007199254740992': null }],
    [
      'names of object members as any other',
      ['constructor', '__proto__'],
      { ['__proto__']: 1, toString: null },
    ],
  ])('takes %s', (_, classes, expected) => {
    const find = classFinder(classes);
    for (const [label, index] of Object.entries(expected))
      expect([label, find(label)]).toEqual([label, index]);
  });

  it('is the class of that very name, for any classes that differ', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 2 }), (names) => {
        fc.pre(sameClass(names) === null);
        expect(names.map(classFinder(names))).toEqual([...names.keys()]);
      }),
    );
  });

  it('is the class of the same number, however it is written', () => {
    const integer = fc.integer({ min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(integer, fc.nat(4), fc.nat(4), (value, zeros, places) => {
        const digits = `${'0'.repeat(zeros)}${Math.abs(value)}${places > 0 ? `.${'0'.repeat(places)}` : ''}`;
        const find = classFinder([`${value}`, `${value + 1}`]);
        expect(find(`${value < 0 ? '-' : ''}${digits}`)).toBe(0);
        expect(find(`${value}0e-1`)).toBe(0);
        expect(find(`${value + 2}`)).toBeNull();
      }),
    );
  });
});

describe('a new task', () => {
  const { samples: _, planDefaults: __, ...flowers } = sampleTask;
  const create = (classes: readonly string[], kind: 'image' | 'table') =>
    CreateTaskSchema.safeParse({
      ...flowers,
      data:
        kind === 'image'
          ? { kind, width: 8, height: 8, channels: 1, classes }
          : { ...flowers.data, target: { kind: 'class', name: 'kind', classes } },
    });

  it.each([
    [
      ['cat', 'dog', 'cat'],
      [1, 3],
    ],
    [
      ['a', ' a '],
      [1, 2],
    ],
    [
      ['x', '1', '1.0'],
      [2, 3],
    ],
    [
      [composed, decomposed],
      [1, 2],
    ],
  ])('is refused with the classes %j', (classes, [first, second]) => {
    for (const [kind, path] of [
      ['image', ['data', 'classes']],
      ['table', ['data', 'target', 'classes']],
    ] as const) {
      const [issue] = create(classes, kind).error?.issues ?? [];
      expect(issue?.path).toEqual(path);
      expect(issue?.message).toContain(`classes ${first} and ${second}`);
    }
  });

  it('is refused with one value twice in a column of categories, or with a blank one', () => {
    const issueWith = (values: readonly string[]) => {
      const features = [
        { name: 'length', mean: 0, scale: 1 },
        { kind: 'category', name: 'colour', values },
      ];
      return CreateTaskSchema.safeParse({ ...flowers, data: { ...flowers.data, features } }).error?.issues[0];
    };
    expect(issueWith(['red', '1', '1.0'])).toMatchObject({
      path: ['data', 'features', 1, 'values'],
      message: expect.stringContaining('values 2 and 3, "1" and "1.0", are the same value'),
    });
    expect(issueWith(['red', ' '])?.path).toEqual(['data', 'features', 1, 'values', 1]);
    expect(issueWith([])?.path).toEqual(['data', 'features', 1, 'values']);
    expect(issueWith(['red', 'Red'])).toBeUndefined();
  });

  it('is refused with more inputs than there may be, categories counted by their values', () => {
    const values = Array.from({ length: 1000 }, (_, i) => `v${i}`);
    const issuesWith = (columns: number) => {
      const features = Array.from({ length: columns }, (_, i) => ({
        kind: 'category',
        name: `c${i}`,
        values,
      }));
      return CreateTaskSchema.safeParse({ ...flowers, data: { ...flowers.data, features } }).error?.issues;
    };
    // 19 × 1001 and 20 × 1001.
    expect(issuesWith(19)).toBeUndefined();
    expect(issuesWith(20)?.[0]?.message).toContain('20000');
  });

  it.each([[['a', 'A']], [['1', '10']], [['1', 'one']], [['0', '1', '-1']]])(
    'is taken with the classes %j',
    (classes) => {
      for (const kind of ['image', 'table'] as const) expect(create(classes, kind).error).toBeUndefined();
    },
  );
});
