import * as z from 'zod/mini';
import { sameClass } from './class-names.ts';
import { MAX_TEXT } from './limits.ts';

/** A text in the pages' languages; English is always present. */
export const LocalizedSchema = z.strictObject({
  en: z.string().check(z.minLength(1), z.maxLength(MAX_TEXT)),
  zh: z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_TEXT))),
});
export type Localized = z.infer<typeof LocalizedSchema>;

const name = z.string().check(z.minLength(1), z.maxLength(100));

/** Pictures of one size. Pixels are stored as bytes 0–255 and divided by 255 for the model. */
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
  /** True where the client page offers a canvas to draw examples. */
  drawable: z.optional(z.boolean()),
});

/** One numeric column. The model sees (value − mean) / scale. */
export const FeatureSchema = z.strictObject({
  name,
  unit: z.optional(z.string().check(z.maxLength(20))),
  mean: z._default(z.number(), 0),
  scale: z._default(z.number().check(z.positive()), 1),
  /** The plausible range of a value, for forms and for the check of new examples. */
  min: z.optional(z.number()),
  max: z.optional(z.number()),
});
export type Feature = z.infer<typeof FeatureSchema>;

/** Rows of numbers with one target column. */
export const TableDataSchema = z.strictObject({
  kind: z.literal('table'),
  features: z.array(FeatureSchema).check(z.minLength(1), z.maxLength(2000)),
  target: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('class'),
      name,
      classes: z.array(name).check(z.minLength(2), z.maxLength(1000)),
    }),
    z.strictObject({ kind: z.literal('number'), name, unit: z.optional(z.string()) }),
  ]),
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

/** The data schema of a new task, whose classes must all differ. Tasks made before this rule are exempt. */
export const NewDataSchemaSchema = DataSchemaSchema.check(({ value, issues }) => {
  const classes = classesOf(value) ?? [];
  const same = sameClass(classes);
  if (same === null) return;
  const [first, second] = same.map((index) => JSON.stringify(classes[index]));
  issues.push({
    code: 'custom',
    input: value,
    path: value.kind === 'image' ? ['classes'] : ['target', 'classes'],
    message:
      `classes ${same[0] + 1} and ${same[1] + 1}, ${first} and ${second}, are the same class. ` +
      'Names must differ by more than white space around them, and numbers must differ in value',
  });
});

/** The shape of one example as the model takes it, before the model's own input shape is applied. */
export function exampleSize(data: DataSchema): number {
  return data.kind === 'image' ? data.width * data.height * data.channels : data.features.length;
}

/**
 * Any JSON value. `undefined` is refused as a missing field is: JSON drops the field, so the next reader would refuse a
 * value that was accepted here.
 */
export const JsonValueSchema = z
  .unknown()
  .check(z.refine((value) => value !== undefined, 'expected a value'));

export const LossSchema = z.enum(['categoricalCrossentropy', 'meanSquaredError']);
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

/** A learning task: model, data schema, loss, held-out share and plan defaults. */
export const TaskSchema = z.strictObject({
  id: TaskIdSchema,
  title: LocalizedSchema,
  /** The task and its purpose, for the person who is asked to take part. */
  description: LocalizedSchema,
  data: DataSchemaSchema,
  model: TopologySchema,
  loss: LossSchema,
  heldOut: HeldOutSchema,
  /** True where the coordinator offers ready-made shares of data for this task. */
  samples: z.boolean(),
  /** Plan fields that differ from the general defaults for this task. */
  planDefaults: z._default(z.record(z.string(), z.union([z.string(), z.number(), z.null()])), {}),
});
export type Task = z.infer<typeof TaskSchema>;
