import * as z from 'zod/mini';
import { DataWarningSchema, NewDataSchemaSchema } from '../data-faults.ts';
import { HashSchema } from '../hash.ts';
import { CheckpointIdSchema } from '../lineage.ts';
import { faultsOfObjective } from '../metric.ts';
import { PlanInputSchema } from '../plan/plan.ts';
import { ChannelSchema } from '../release.ts';
import { AdmissionSchema, MetricsSchema, RunIdSchema } from '../run.ts';
import {
  DataSchemaSchema,
  HeldOutSchema,
  JsonValueSchema,
  LicenceSchema,
  LocalizedSchema,
  LossSchema,
  objectiveFields,
  TaskIdSchema,
  TopologySchema,
} from '../task.ts';

/** The weights that a run begins with, by name: a checkpoint, the channel that names one, or `seed`. */
export const StartOfRunSchema = z.union([CheckpointIdSchema, ChannelSchema, z.literal('seed')]);
export type StartOfRun = z.infer<typeof StartOfRunSchema>;

/** `POST /api/runs`. The run begins at once unless `start` is false. */
export const CreateRunSchema = z.strictObject({
  task: TaskIdSchema,
  plan: z._default(PlanInputSchema, {}),
  start: z._default(z.boolean(), true),
  /** The run's admission. Not part of the plan, since it may change while the run is running. */
  admission: z._default(AdmissionSchema, 'open'),
  /**
   * A checkpoint of the same task whose weights the run begins with, or the channel that names it at that moment; null:
   * the weights that were given with the task, and where there are none, the seed draws them. `seed`: the seed draws them
   * in any case, but for frozen ones, which are as they were given.
   */
  from: z._default(z.nullable(StartOfRunSchema), null),
  /**
   * Secret seed of the cohort selection. Left out, a random one, so that selection is unpredictable. The same secret
   * and the same participants give the same cohorts.
   */
  secret: z.optional(z.string().check(z.minLength(1), z.maxLength(100))),
});
export type CreateRun = z.input<typeof CreateRunSchema>;

/** `POST /api/runs/:run/stop` and the other actions. */
export const RunActionSchema = z.enum(['start', 'pause', 'resume', 'stop', 'end-round']);
export type RunAction = z.infer<typeof RunActionSchema>;

/** `POST /api/tasks`: a task of your own. */
export const CreateTaskSchema = z
  .strictObject({
    id: TaskIdSchema,
    title: LocalizedSchema,
    description: LocalizedSchema,
    data: NewDataSchemaSchema,
    /**
     * A tfjs LayersModel: the content of `model.json` as written by `model.save()`, or the topology alone. The weights that
     * a `model.json` refers to are not in it: they are given by `weights`.
     */
    model: z.union([z.looseObject({ modelTopology: JsonValueSchema }), TopologySchema]),
    /**
     * The weights of the model, all of them: the hash that `POST /api/weights` answered, or a checkpoint of this coordinator
     * whose weights have the same names and shapes. Left out: a run's first weights come from the plan's seed, and no layer may
     * be frozen.
     */
    weights: z.optional(z.union([HashSchema, z.strictObject({ checkpoint: CheckpointIdSchema })])),
    /**
     * Left out: cross-entropy for classes, of two the binary one where the model ends in one sigmoid unit; mean squared error
     * for numbers.
     */
    loss: z.optional(LossSchema),
    ...objectiveFields,
    /** Left out: those that fit the data; an empty list: none. */
    metrics: objectiveFields.metrics,
    heldOut: HeldOutSchema,
    licence: LicenceSchema,
  })
  .check(({ value, issues }) => {
    for (const { field, message } of faultsOfObjective(value)) {
      issues.push({ code: 'custom', input: value, path: [field], message });
    }
  });
export type CreateTask = z.infer<typeof CreateTaskSchema>;

/** The answer of `POST /api/weights`: the name under which `POST /api/tasks` takes them, and their number. */
export const GivenWeightsSchema = z.strictObject({
  hash: HashSchema,
  tensors: z.int(),
  parameters: z.int(),
});
export type GivenWeights = z.infer<typeof GivenWeightsSchema>;

/** A task in a list: its description, its size, and its plan defaults, completed. */
export const TaskInfoSchema = z.strictObject({
  id: TaskIdSchema,
  title: LocalizedSchema,
  description: LocalizedSchema,
  data: DataSchemaSchema,
  loss: LossSchema,
  ...objectiveFields,
  heldOut: HeldOutSchema,
  licence: LicenceSchema,
  samples: z.boolean(),
  /** Whether weights were given with the model. */
  weights: z._default(z.enum(['given', 'none']), 'none'),
  builtIn: z.boolean(),
  /** True where the coordinator holds test data. */
  centralEvaluation: z.boolean(),
  /** The numbers of its model; of these, the ones that are trained, and those that no round moves. The rest are averaged. */
  parameters: z.int(),
  trainable: z.int(),
  frozen: z.int(),
  plan: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});
export type TaskInfo = z.infer<typeof TaskInfoSchema>;

/** The answer to `POST /api/tasks`. */
export const CreatedTaskSchema = z.extend(TaskInfoSchema, {
  warnings: z.array(DataWarningSchema),
});
export type CreatedTask = z.infer<typeof CreatedTaskSchema>;

/** A stored global model. */
export const CheckpointSchema = z.strictObject({
  /** `<run>/<round>`. */
  id: CheckpointIdSchema,
  /** SHA-256 of the float32 weights. Checkpoints of several runs may have the same. */
  hash: HashSchema,
  run: RunIdSchema,
  task: TaskIdSchema,
  /** The round that made it; 0 for the initial weights. */
  round: z.int(),
  /**
   * The checkpoint that it was made from: the previous round's, or the start of the run. Null for weights drawn from
   * the seed. A parent may be deleted before its children.
   */
  parent: z.nullable(CheckpointIdSchema),
  createdAt: z.number(),
  central: z.nullable(MetricsSchema),
  federated: z.nullable(MetricsSchema),
  parameters: z.int(),
});
export type Checkpoint = z.infer<typeof CheckpointSchema>;

/** `GET /api/info`: public. */
export const InfoSchema = z.strictObject({
  name: z.literal('Coppice'),
  version: z.string(),
  protocol: z.int(),
  operator: z.string(),
});
export type Info = z.infer<typeof InfoSchema>;
