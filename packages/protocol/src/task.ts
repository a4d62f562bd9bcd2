import * as z from 'zod/mini';
import { HashSchema } from './hash.ts';
import { MAX_TEXT } from './limits.ts';

/** A text in the pages' languages; English is always present. */
export const LocalizedSchema = z.strictObject({
  en: z.string().check(z.minLength(1), z.maxLength(MAX_TEXT)),
  zh: z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_TEXT))),
});
export type Localized = z.infer<typeof LocalizedSchema>;

/** The most numbers that a model takes of one row: columns of numbers, and places of categories. */
const MAX_TABLE_INPUTS = 20_000;

const name = z.string().check(z.minLength(1), z.maxLength(100));

/** Ranges of the numbers that a model may take for the bytes 0–255 of pictures. */
export const PictureRangeSchema = z.enum(['0-1', '-1-1', '0-255']);
export type PictureRange = z.infer<typeof PictureRangeSchema>;

/** Pictures of one size. Pixels are stored as bytes 0–255, and brought to `range` for the model. */
export const ImageDataSchema = z.strictObject({
  kind: z.literal('image'),
  width: z.int().check(z.minimum(1), z.maximum(1024)),
  height: z.int().check(z.minimum(1), z.maximum(1024)),
  channels: z.union([z.literal(1), z.literal(3)]),
  classes: z.array(name).check(z.minLength(2), z.maxLength(1000)),
  /**
   * `light-on-dark` (MNIST): ink is bright on black, and a participant's dark-on-light picture is inverted when it is
   * added. `any`: taken as it is.
   */
  ink: z.optional(z.enum(['light-on-dark', 'any'])),
  /** The numbers that the model takes for the bytes 0–255. Left out: `0-1`. */
  range: z.optional(PictureRangeSchema),
  /** True where the client page offers a canvas to draw examples. */
  drawable: z.optional(z.boolean()),
});

/** One numeric column. The model sees (value − mean) / scale. */
const NumberFeatureSchema = z.strictObject({
  /** Left out by most tasks: a column without a kind is one of numbers. */
  kind: z.optional(z.literal('number')),
  name,
  unit: z.optional(z.string().check(z.maxLength(20))),
  mean: z._default(z.number(), 0),
  scale: z._default(z.number().check(z.positive()), 1),
  /** The plausible range of a value, for forms and for the check of new examples. */
  min: z.optional(z.number()),
  max: z.optional(z.number()),
});

/**
 * One column of categories. A value is stored as its index in `values`, any other value as `values.length`. The model
 * sees `values.length + 1` numbers, one-hot: one for each value in this order, and a last one for any other value.
 */
const CategoryFeatureSchema = z.strictObject({
  kind: z.literal('category'),
  name,
  values: z.array(name.check(z.regex(/\S/))).check(z.minLength(1), z.maxLength(1000)),
  /** An explanation of the column, for forms. */
  help: z.optional(LocalizedSchema),
});
export type CategoryFeature = z.infer<typeof CategoryFeatureSchema>;

export const FeatureSchema = z.discriminatedUnion('kind', [NumberFeatureSchema, CategoryFeatureSchema]);
export type Feature = z.infer<typeof FeatureSchema>;

/** Rows of numbers and categories with one target column. */
export const TableDataSchema = z.strictObject({
  kind: z.literal('table'),
  features: z.array(FeatureSchema).check(
    z.minLength(1),
    z.maxLength(2000),
    z.refine(
      (features) => features.reduce((size, feature) => size + featureWidth(feature), 0) <= MAX_TABLE_INPUTS,
      `more than ${MAX_TABLE_INPUTS} numbers for the model`,
    ),
  ),
  target: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('class'),
      name,
      classes: z.array(name).check(z.minLength(2), z.maxLength(1000)),
    }),
    z.strictObject({
      kind: z.literal('number'),
      name,
      unit: z.optional(z.string()),
      /** The model learns (value − mean) / scale. Left out: 0 and 1. */
      mean: z.optional(z.number()),
      scale: z.optional(z.number().check(z.positive())),
      /** The plausible range of a target, in its unit. */
      min: z.optional(z.number()),
      max: z.optional(z.number()),
    }),
    /** Several numbers, in the order of the model's outputs. */
    z.strictObject({
      kind: z.literal('numbers'),
      /** The name of the targets together. */
      name,
      columns: z
        .array(
          z.strictObject({
            name,
            unit: z.optional(z.string()),
            /** The model learns (value − mean) / scale. Left out: 0 and 1. */
            mean: z.optional(z.number()),
            scale: z.optional(z.number().check(z.positive())),
            /** The plausible range, in its unit. */
            min: z.optional(z.number()),
            max: z.optional(z.number()),
          }),
        )
        .check(
          z.minLength(2),
          z.maxLength(100),
          z.refine(
            (columns) => new Set(columns.map((column) => column.name)).size === columns.length,
            'two of its columns have the same name',
          ),
        ),
    }),
  ]),
  /**
   * `agreed`: columns of numbers and a numeric target are scaled by means and standard deviations that the participants
   * agree on before the first round of the task's first run. Left out: by the numbers given.
   */
  scaling: z.optional(z.literal('agreed')),
  /** The numbers behind an agreed scaling, once it is agreed; `mean` and `scale` of the columns are its result. */
  agreed: z.optional(
    z.strictObject({ participants: z.int().check(z.positive()), examples: z.int().check(z.positive()) }),
  ),
  /** The name of the column of categories by whose values errors are told apart; left out: they are not. */
  groups: z.optional(name),
});

export const DataSchemaSchema = z.discriminatedUnion('kind', [ImageDataSchema, TableDataSchema]);
export type DataSchema = z.infer<typeof DataSchemaSchema>;
export type ImageData = z.infer<typeof ImageDataSchema>;
export type TableData = z.infer<typeof TableDataSchema>;

/** The class names of a classification task, or `null` for a regression. */
export function classesOf(data: DataSchema): readonly string[] | null {
  if (data.kind === 'image') return data.classes;
  return data.target.kind === 'class' ? data.target.classes : null;
}

/** The column by whose values a task's errors are told apart: its index, and its values. `null` where there is none. */
export function groupsOf(
  data: DataSchema,
): { readonly column: number; readonly feature: CategoryFeature } | null {
  if (data.kind === 'image' || data.groups === undefined) return null;
  const column = data.features.findIndex(({ kind, name }) => kind === 'category' && name === data.groups);
  const feature = data.features[column];
  return feature?.kind === 'category' ? { column, feature } : null;
}

/** The number of values that one example is stored as: bytes of a picture; columns of a table, a category being one. */
export function exampleSize(data: DataSchema): number {
  return data.kind === 'image' ? data.width * data.height * data.channels : data.features.length;
}

/** The number of values that the model takes of one example, before the model's own input shape is applied. */
export function inputSize(data: DataSchema): number {
  if (data.kind === 'image') return exampleSize(data);
  return data.features.reduce((size, feature) => size + featureWidth(feature), 0);
}

/** The number of values that the model takes of one column: of categories, one for each value and one for any other. */
export function featureWidth(feature: Feature): number {
  return feature.kind === 'category' ? feature.values.length + 1 : 1;
}

/**
 * Any JSON value. `undefined` is refused as a missing field is: JSON drops the field, so the next reader would refuse a
 * value that was accepted here.
 */
export const JsonValueSchema = z
  .unknown()
  .check(z.refine((value) => value !== undefined, 'expected a value'));

/**
 * `binaryCrossentropy`: of one sigmoid unit, whose output is the probability of the second of two classes. `huber`: of
 * numbers, squared up to `huberDelta` and linear beyond.
 */
export const LossSchema = z.enum([
  'categoricalCrossentropy',
  'meanSquaredError',
  'binaryCrossentropy',
  'huber',
]);
export type Loss = z.infer<typeof LossSchema>;

/** The topology of a tfjs LayersModel, as `model.toJSON(null, false)` returns it. */
export const TopologySchema = z.looseObject({
  class_name: z.string(),
  config: JsonValueSchema,
});
export type Topology = z.infer<typeof TopologySchema>;

export const TaskIdSchema = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use small letters, digits and hyphens, 63 at most'));

/** The share of a task that states none, 0–0.5. */
export const DEFAULT_HELD_OUT = 0.1;

/**
 * The share of each device's examples that no plan trains on, 0–0.5. It belongs to the task and never changes, so that
 * every model of the task is measured and compared on examples that none of them was trained on. 0: none is held out.
 */
export const HeldOutSchema = z._default(z.number().check(z.minimum(0), z.maximum(0.5)), DEFAULT_HELD_OUT);

/** The licence of a task's models, as its operator states it: its name, its text or its address. */
export const LicenceSchema = z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_TEXT)));

/**
 * Measures of a task beyond loss and accuracy. Of numbers: mean absolute and root mean square error, each in the target's own
 * unit, and R²; of several numbers, their mean. Of two classes: area under the ROC curve and under the curve of precision
 * and recall, precision, recall and F1 of the second class at the task's threshold. Of more classes: the means of each
 * class against the others.
 */
export const metricNames = ['mae', 'rmse', 'r2', 'auroc', 'prAuc', 'precision', 'recall', 'f1'] as const;
export const MetricNameSchema = z.enum(metricNames);
export type MetricName = z.infer<typeof MetricNameSchema>;

/** δ of a Huber loss that names none, in units of the scaled target. */
export const DEFAULT_HUBER_DELTA = 1;

/** The probability of the second class from which it is predicted, where a task names none. */
export const DEFAULT_THRESHOLD = 0.5;

/** The part of a task that says how its model is trained and measured, beside model and data. */
export const objectiveFields = {
  /** Of the loss `huber`, in units of the scaled target; left out: 1. */
  huberDelta: z.optional(z.number().check(z.minimum(1e-6), z.maximum(1e6))),
  /**
   * The factor of an example's loss in training, by its class, in order; left out: 1 for each. The loss of a batch is
   * the sum of the weighted losses over the number of its examples. Losses measured on held-out examples have no weights.
   */
  classWeights: z.optional(
    z.array(z.number().check(z.minimum(1e-3), z.maximum(1e3))).check(z.minLength(2), z.maxLength(1000)),
  ),
  /** The measures beyond loss and accuracy; left out: none. */
  metrics: z.optional(
    z
      .array(MetricNameSchema)
      .check(z.refine((names) => new Set(names).size === names.length, 'one of them is named twice')),
  ),
  /** The probability of the second of two classes above which it is predicted in precision, recall and F1; left out: 0.5. */
  threshold: z.optional(z.number().check(z.gt(0), z.lt(1))),
};

/** A learning task: model, data schema, loss, held-out share and plan defaults. */
export const TaskSchema = z.strictObject({
  id: TaskIdSchema,
  title: LocalizedSchema,
  /** The task and its purpose, for the person who is asked to take part. */
  description: LocalizedSchema,
  data: DataSchemaSchema,
  model: TopologySchema,
  loss: LossSchema,
  ...objectiveFields,
  heldOut: HeldOutSchema,
  /**
   * The hash of the weights that were given with the model, of the whole layout: its runs begin with them unless they are
   * asked for others, and its frozen weights are always these. Left out: none were given.
   */
  weights: z.exactOptional(HashSchema),
  licence: LicenceSchema,
  /** True where the coordinator offers ready-made shares of data for this task. */
  samples: z.boolean(),
  /** Plan fields that differ from the general defaults for this task. */
  planDefaults: z._default(z.record(z.string(), z.union([z.string(), z.number(), z.null()])), {}),
});
export type Task = z.infer<typeof TaskSchema>;
