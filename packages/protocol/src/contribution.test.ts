import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Codec, codecs, encodedBytes } from './codec.ts';
import {
  ContributionLayoutSchema,
  contributionBytes,
  contributionHash,
  contributionSize,
  sectionBytes,
  sectionLayout,
  sectionsOf,
  type TensorSpec,
} from './contribution.ts';
import { modelSize } from './layout.ts';

const step: TensorSpec = {
  name: 'dense/kernel',
  shape: [30, 20],
  role: 'step',
  group: 'model',
  unit: 2 ** -36,
  bound: 1000,
  weighted: 'weight',
  precision: 'single',
};
const statistic: TensorSpec = { ...step, name: 'norm/mean', shape: [20], role: 'average' };
const control: TensorSpec = { ...step, group: 'control', weighted: 'one', bound: null };
const measure: TensorSpec = {
  name: 'train/loss',
  shape: [],
  role: 'measure',
  group: 'measures',
  unit: 2 ** -32,
  bound: 10,
  weighted: 'one',
  precision: 'double',
};
const hits: TensorSpec = { ...measure, name: 'held/class-hits', shape: [7], unit: 1, precision: 'single' };
const layout = [step, statistic, control, measure, hits];

describe('the sections of a contribution', () => {
  it('are its groups, in order', () => {
    expect(
      sectionsOf(layout).map(({ group, parameters, steps, weighted, measures }) => ({
        group,
        parameters,
        steps,
        weighted,
        measures,
      })),
    ).toEqual([
      { group: 'model', parameters: 620, steps: 600, weighted: 'weight', measures: false },
      { group: 'control', parameters: 600, steps: 600, weighted: 'one', measures: false },
      { group: 'measures', parameters: 9, steps: 0, weighted: 'one', measures: true },
    ]);
    expect(contributionSize(layout)).toBe(620 + 600 + 2 + 7);
  });

  it.each(Object.keys(codecs) as Codec[])('shorten their steps alone by %s', (codec) => {
    const expected = 4 * 20 + 2 * encodedBytes(codec, 600) + 4 * 9;
    const sections = sectionsOf(layout);
    expect(contributionBytes(codec, sections)).toBe(expected);
    expect(sections.reduce((sum, section) => sum + sectionBytes(codec, section), 0)).toBe(expected);
  });

  it('are laid out for codecs with their limbs', () => {
    const [model, , measures] = sectionsOf(layout).map(sectionLayout);
    expect(model?.map(({ trainable }) => trainable)).toEqual([true, false]);
    expect(measures?.map(({ shape }) => shape)).toEqual([[2], [7]]);
    expect(modelSize(measures ?? [])).toEqual({ parameters: 9, trainable: 0 });
  });
});

describe('the hash of a contribution', () => {
  it('is of the text that docs/protocol.md says', () => {
    const text = [
      'model/dense/kernel:step:weight:single:-36:30,20',
      'model/norm/mean:average:weight:single:-36:20',
      'control/dense/kernel:step:one:single:-36:30,20',
      'measures/train/loss:measure:one:double:-32:',
      'measures/held/class-hits:measure:one:single:0:7',
    ].join('\n');
    const hash = createHash('sha256').update(text).digest().subarray(0, 16);
    expect(Buffer.from(contributionHash(layout))).toEqual(hash);
  });

  it('changes with all that a sum needs, and not with a bound', () => {
    const hex = (of: readonly TensorSpec[]) => Buffer.from(contributionHash(of)).toString('hex');
    const changes: Partial<TensorSpec>[] = [
      { name: 'dense/other' },
      { shape: [600] },
      { role: 'average' },
      { group: 'other' },
      { unit: 2 ** -35 },
      { weighted: 'one' },
      { precision: 'double' },
    ];
    const all = [layout, ...changes.map((change) => [{ ...step, ...change }, ...layout.slice(1)])].map(hex);
    expect(new Set(all).size).toBe(all.length);
    expect(hex([{ ...step, bound: 1 }, ...layout.slice(1)])).toBe(hex(layout));
  });
});

describe('a layout of a contribution', () => {
  it('is sound with groups that agree in themselves', () => {
    for (const sound of [layout, [measure], [step], [step, { ...measure, name: 'm', unit: 4 }, hits]])
      expect(ContributionLayoutSchema.safeParse(sound).success).toBe(true);
  });

  it.each<[string, TensorSpec[]]>([
    ['nothing in it', []],
    ['a name twice in a group', [step, step]],
    ['a group in two parts', [step, control, { ...step, name: 'more' }]],
    ['measures before vectors', [measure, step]],
    ['a measure among steps', [step, { ...measure, group: 'model' }]],
    ['a unit that is no power of two', [{ ...step, unit: 0.1 }]],
    ['two units in a vector', [step, { ...statistic, unit: 2 ** -20 }]],
    ['two weightings in a vector', [step, { ...statistic, weighted: 'one' }]],
    ['a vector in limbs', [{ ...step, precision: 'double' }]],
    ['a measure that is weighted', [{ ...measure, weighted: 'weight' }]],
    ['a bound of 0', [{ ...step, bound: 0 }]],
  ])('is refused with %s', (_what, unsound) => {
    expect(ContributionLayoutSchema.safeParse(unsound).success).toBe(false);
  });
});

describe('the size of a layout of answers', () => {
  const sized = (shape: number[], of: Partial<TensorSpec> = {}) =>
    ContributionLayoutSchema.safeParse([{ ...step, shape, ...of }]).success;

  it('is that of two of the largest models and the measures at most', () => {
    expect(sized([2, 2 ** 26])).toBe(true);
    expect(sized([2 ** 31, 2 ** 31])).toBe(false);
    expect(sized(Array(8).fill(2 ** 53 - 1))).toBe(false);
    // Numbers of frozen tensors do not travel, and a participant has them all the same.
    expect(sized([2 ** 31], { role: 'frozen' })).toBe(false);
    const many = Array.from({ length: 20 }, (_, i) => ({ ...step, name: `${i}`, shape: [2 ** 24] }));
    expect(ContributionLayoutSchema.safeParse(many.slice(0, 8)).success).toBe(true);
    expect(ContributionLayoutSchema.safeParse(many).success).toBe(false);
  });
});
