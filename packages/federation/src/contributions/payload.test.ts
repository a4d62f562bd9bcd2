import { normal, seededRandom } from '@coppice/ports';
import {
  type Codec,
  ContributionLayoutSchema,
  codecs,
  contributionBytes,
  contributionSize,
  defaultPlan,
  type Layout,
  sectionsOf,
  type Task,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { toFloat32 } from '../codecs/values.ts';
import { pipelineOf } from '../pipeline/index.ts';
import { CONTROL, scaffold } from '../strategies/scaffold.ts';
import { MODEL_GROUP, modelGroup } from './layout.ts';
import { encodeMeasures, measuresOf } from './measures.ts';
import { readContribution } from './payload.ts';
import { evaluationLayout, measureForm, trainLayout } from './train-layout.ts';
import { tallyMeasures, trainMeasures } from './train-measures.ts';

const model: Layout = [
  { name: 'kernel', shape: [30, 50], trainable: true },
  { name: 'mean', shape: [50], trainable: false },
  { name: 'bias', shape: [], trainable: true },
];
const layout = [
  ...modelGroup(model, { bound: null }),
  ...(scaffold().groups?.(model) ?? []),
  ...trainMeasures({ classes: null, heldOut: false, maxExamples: 1000 }),
];
const sections = sectionsOf(layout);
const measures = tallyMeasures('train', {
  examples: 12,
  loss: 1 / 3,
  lossExamples: 12,
  hits: null,
  classes: null,
});
const numbers = encodeMeasures(measuresOf(layout), measures);

function drawn(length: number, seed: string): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => normal(random));
}
const vectors = new Map([
  [MODEL_GROUP, drawn(1551, 'model')],
  [CONTROL, drawn(1501, 'control')],
]);
const encoded = (codec: Codec) =>
  pipelineOf({ clipNorm: null, uploadCodec: codec }).onParticipant(vectors, numbers, new Map(), {
    sections,
    round: 1,
    seed: 7,
  });

describe.each(Object.keys(codecs) as Codec[])('a payload of %s', (codec) => {
  it('is read as it arrives: groups by name, averages and measures untouched', () => {
    const { payload, arrives } = encoded(codec);
    const { vectors: came, measures: told } = readContribution(codec, payload, sections);
    expect([...came.keys()]).toEqual([MODEL_GROUP, CONTROL]);
    for (const [group, values] of came) expect(toFloat32(values)).toEqual(arrives.get(group));
    expect(
      toFloat32(came.get(MODEL_GROUP) as NonNullable<ReturnType<typeof came.get>>).slice(1500, 1550),
    ).toEqual(vectors.get(MODEL_GROUP)?.slice(1500, 1550));
    expect([told.get('train/examples')?.[0], told.get('train/loss-examples')?.[0]]).toEqual([12, 12]);
    expect(told.get('train/loss')?.[0]).toBeCloseTo(1 / 3, 14);
  });

  it('is read wherever it lies in memory, and refused where it has another length', () => {
    const { payload } = encoded(codec);
    const among = new Uint8Array(payload.length + 3);
    among.set(payload, 3);
    const came = readContribution(codec, among.subarray(3), sections);
    const [first] = came.vectors.values();
    expect(toFloat32(first as NonNullable<typeof first>)).toEqual(encoded(codec).arrives.get(MODEL_GROUP));
    for (const length of [0, 1, payload.length - 1])
      expect(() => readContribution(codec, payload.subarray(0, length), sections)).toThrow(
        expect.objectContaining({ code: 'frame-invalid' }),
      );
    expect(() => readContribution(codec, among, sections)).toThrow(
      expect.objectContaining({ code: 'frame-invalid' }),
    );
  });

  it('is refused by the name of the measure that cannot be', () => {
    const { payload } = encoded(codec);
    const at = contributionBytes(codec, sections.slice(0, -1));
    const view = new DataView(payload.buffer, payload.byteOffset);
    for (const [value, code] of [
      [1001, 'update-measure'],
      [Number.NaN, 'update-not-finite'],
      [Number.NEGATIVE_INFINITY, 'update-not-finite'],
    ] as const) {
      view.setFloat32(at, value, true);
      expect(() => readContribution(codec, payload, sections)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining('train/examples') }),
      );
    }
  });
});

describe('the layout of answers', () => {
  // Only the classes are looked at.
  const task = { data: { kind: 'table', target: { kind: 'number' } } } as Pick<Task, 'data'>;
  const pictures = { data: { kind: 'image', classes: ['a', 'b', 'c'] } } as Pick<Task, 'data'>;

  it.each([
    ['numbers', task],
    ['classes', pictures],
  ] as const)('is one that every participant takes, for %s', (_, data) => {
    for (const evaluationShare of [0, 0.2]) {
      const plan = { ...defaultPlan, evaluationShare, maxNorm: 7 };
      const train = trainLayout(model, data, plan);
      expect(ContributionLayoutSchema.safeParse(train).success).toBe(true);
      expect(train.slice(0, 3).map(({ name, role, bound }) => [name, role, bound])).toEqual([
        ['kernel', 'step', 7],
        ['mean', 'average', 7],
        ['bias', 'step', 7],
      ]);
      expect(train.some(({ name }) => name === 'held/loss')).toBe(evaluationShare > 0);
      expect(measureForm(data, plan).heldOut).toBe(evaluationShare > 0);
      const evaluation = evaluationLayout(data, plan);
      expect(ContributionLayoutSchema.safeParse(evaluation).success).toBe(true);
      expect(evaluation.every(({ role, name }) => role === 'measure' && name.startsWith('held/'))).toBe(true);
    }
  });

  it('has SCAFFOLD’s variate for what is trained alone, each counted once', () => {
    expect(ContributionLayoutSchema.safeParse(layout).success).toBe(true);
    expect(sections.map(({ group, parameters, weighted }) => [group, parameters, weighted])).toEqual([
      [MODEL_GROUP, 1551, 'weight'],
      [CONTROL, 1501, 'one'],
      ['measures', 4, 'one'],
    ]);
    expect(contributionSize(layout)).toBe(1551 + 1501 + 4);
  });
});
