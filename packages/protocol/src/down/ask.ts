import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { CheckpointIdSchema } from '../lineage.ts';
import { FrameBytesSchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TaskIdSchema } from '../task.ts';
import { TicketSchema } from '../ticket.ts';

/** The parcel of a model's frozen tensors. It always comes as its header alone: a device that has the hash fetches nothing. */
export const FROZEN_PARCEL = 'frozen';

/**
 * A block of tensors named by the hash of its float32 bytes: a model, a control variate. Its frame is encoded by the
 * codec that its header names: whole, or as the steps from `base` to `hash`. A participant without `base`, or whose
 * result has another hash, requests the exact model with `pull`.
 */
export const ParcelSchema = z.object({
  /** The parcel's part in the question: `model` always comes first, then `frozen` if tensors are; a strategy names the others. */
  name: z.string().check(z.minLength(1), z.maxLength(40)),
  hash: HashSchema,
  /** The parcel that the steps start from; left out where the frame is the whole parcel. */
  base: z.optional(HashSchema),
  /**
   * Of a model with frozen tensors: the hash of the float32 bytes of the others, which are all that the frame has. `hash`
   * names the whole model, the parcel `frozen` included. Left out with `base`, and if nothing is frozen.
   */
  moving: z.optional(HashSchema),
  /** A whole frame, or the header alone: then `parcel` fetches the payload, by `moving` if it is there, else by `hash`. */
  frame: FrameBytesSchema,
});
export type Parcel = z.infer<typeof ParcelSchema>;

/** The kinds of questions that this version asks. */
export const exchangeKinds = ['train', 'evaluate', 'statistics'] as const;
export type ExchangeKind = (typeof exchangeKinds)[number];

/**
 * A question to the cohort of a run's exchange.
 *
 * - `train`: train from the model and answer with the change and the measures, laid out by the run's `train` layout.
 * - `evaluate`: measure the model on the held-out examples and answer with the measures, laid out by `evaluate`.
 * - `statistics`: answer with the sums of the columns of the device's examples, laid out by `statistics`. Only where the
 *   task's scaling is still to be agreed. It has no parcels, and round 0.
 */
const RunAskSchema = z.object({
  run: RunIdSchema,
  /** One of `exchangeKinds`, or a newer one: a participant declines a kind that it does not know with `backend-unavailable`. */
  kind: z.string().check(z.minLength(1), z.maxLength(40)),
  ticket: TicketSchema,
  /** The round that the answer is for; of `evaluate`, the round that made the model. */
  round: z.int().check(z.minimum(0)),
  attempt: z.int().check(z.minimum(1)),
  /** Milliseconds until the exchange closes by timer; `null`: it stays open. */
  remaining: z.nullable(z.number()),
  /** Number of participants asked. */
  asked: z.int(),
  parcels: z.array(ParcelSchema).check(z.maxLength(8)),
  /** The limits of this exchange, so that a participant can keep to them. */
  given: z.object({
    /** The largest weight that counts; larger ones are reduced to it. */
    weightCap: z.optional(z.int()),
    /** L2 norms to which larger groups are scaled down: by group for its steps, by `<group>/averages` for its averages. */
    normBounds: z.optional(z.record(z.string(), z.number())),
  }),
});
export type Ask = z.infer<typeof RunAskSchema>;

/** The kinds of questions of a task that this version asks. */
export const taskExchangeKinds = ['statistics', 'report', 'compare'] as const;
export type TaskExchangeKind = (typeof taskExchangeKinds)[number];

/** A checkpoint in a question, by its part there. */
const NamedModelSchema = z.object({
  role: z.string().check(z.minLength(1), z.maxLength(40)),
  checkpoint: CheckpointIdSchema,
  hash: HashSchema,
});

/**
 * A question of a task's exchange, to a participant that sent `monitor`.
 *
 * - `statistics`: answer with the report of the device's own examples, as the first of `models` predicts them.
 * - `report`: answer with the report of what was counted until now, by the reference's layout, and begin to count for the
 *   next. Below the task's fewest observations nothing is sent, and counting goes on.
 * - `compare`: measure both `models` on the examples that are held out, and answer with the measures of their differences.
 */
const TaskAskSchema = z.object({
  task: TaskIdSchema,
  /** One of `taskExchangeKinds`, or a newer one: a participant ignores a kind that it does not know. */
  kind: z.string().check(z.minLength(1), z.maxLength(40)),
  ticket: TicketSchema,
  /** The number of the period, of the reference's part, or of the comparison. It grows, and may leave numbers out. */
  period: z.int().check(z.minimum(0)),
  /** Milliseconds until the exchange closes. */
  remaining: z.number(),
  /** The hash of the binning or reference that the answer is made with (`GET /api/tasks/:task/watch` has it); null for `compare`. */
  reference: z.nullable(HashSchema),
  /** Models that the answer is about, for `/models/<task>/<hash>`: `statistics` has `production`; `compare` has `production`, then `candidate`. */
  models: z.array(NamedModelSchema).check(z.maxLength(8)),
  /** Milliseconds since 1970: `statistics` is of examples from then on, of `compare` those are the recent ones. Null: all are. */
  since: z.nullable(z.number()),
  /** Of `compare`, false: recent examples alone are compared, and the answer has no older slice. Left out: true. */
  older: z.optional(z.boolean()),
});
export type TaskAsk = z.infer<typeof TaskAskSchema>;

export const AskSchema = z.union([RunAskSchema, TaskAskSchema]);
