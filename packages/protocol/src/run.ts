import * as z from 'zod/mini';
import { retries, sentErrorCodes } from './errors.ts';
import { FactsSchema } from './failure.ts';
import { HashSchema } from './hash.ts';
import { MAX_LOSS, MAX_TOLD_CLASSES } from './limits.ts';
import { CauseSchema, CheckpointIdSchema } from './lineage.ts';
import { PlanSchema } from './plan/plan.ts';
import { LocalizedSchema, TaskIdSchema } from './task.ts';
import { readUnknownAs } from './tolerant.ts';

/** `created` → `running` ⇄ `paused` → `finished` (all rounds), `stopped` (by the admin) or `failed`. */
export const runStatuses = ['created', 'running', 'paused', 'finished', 'stopped', 'failed'] as const;
export const RunStatusSchema = readUnknownAs(z.enum(runStatuses), 'paused');
export type RunStatus = z.infer<typeof RunStatusSchema>;

/**
 * Admission mode of a run. `open`: everyone; `listed`: participants on the run's list; `invited`: those, and bearers of
 * a valid invitation, which adds them to the list.
 */
export const AdmissionSchema = readUnknownAs(z.enum(['open', 'invited', 'listed']), 'listed');
export type Admission = z.infer<typeof AdmissionSchema>;

/** First weights of a run: those given with the task, or drawn from the seed, where frozen ones are the given ones. */
export const FirstWeightsSchema = z.enum(['given', 'seed']);
export type FirstWeights = z.infer<typeof FirstWeightsSchema>;

/** Current phase of a run. `waiting`: for enough participants; `scaling`: they agree on the task's scaling; `idle`: no round wanted. */
export const PhaseSchema = readUnknownAs(
  z.enum([
    'idle',
    'waiting',
    'scaling',
    'select',
    'distribute',
    'collect',
    'aggregate',
    'evaluate',
    'commit',
  ]),
  'idle',
);
export type Phase = z.infer<typeof PhaseSchema>;

export const RunIdSchema = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,80}$/));
export const ParticipantIdSchema = z.string().check(z.regex(/^[0-9a-f]{32}$/));

const metricValue = z.nullable(z.number());

/** The measures that a task asks for, by name; `null` where the examples give none. */
const MetricValuesSchema = z.strictObject({
  mae: z.optional(metricValue),
  rmse: z.optional(metricValue),
  r2: z.optional(metricValue),
  auroc: z.optional(metricValue),
  prAuc: z.optional(metricValue),
  precision: z.optional(metricValue),
  recall: z.optional(metricValue),
  f1: z.optional(metricValue),
});
export type MetricValues = z.infer<typeof MetricValuesSchema>;

/**
 * Loss and, for a classification, accuracy (0–1) over a number of examples, and the measures that the task asks for:
 * over all, of each class against the others in the order of the classes (of 100 classes at most), and of each number of
 * several. Errors of numbers are in the target's own unit.
 */
export const MetricsSchema = z.strictObject({
  loss: z.nullable(z.number()),
  accuracy: z.nullable(z.number().check(z.minimum(0), z.maximum(1))),
  examples: z.int().check(z.minimum(0)),
  values: z.optional(MetricValuesSchema),
  classes: z.optional(
    z.array(z.extend(MetricValuesSchema, { examples: z.int() })).check(z.maxLength(MAX_TOLD_CLASSES)),
  ),
  outputs: z.optional(z.array(MetricValuesSchema).check(z.maxLength(100))),
});
export type Metrics = z.infer<typeof MetricsSchema>;

/** Median and quartiles over participants' own means, each participant counted once, whatever its examples. */
export const QuartilesSchema = z.strictObject({
  lower: z.number(),
  median: z.number(),
  upper: z.number(),
  /** Participants that reported a mean: five at least. */
  participants: z.int(),
});
export type Quartiles = z.infer<typeof QuartilesSchema>;

/** A loss as a participant reports it; `null` where there is none or it is beyond ±`MAX_LOSS`. */
export const ReportedLossSchema = z.nullable(z.number().check(z.minimum(-MAX_LOSS), z.maximum(MAX_LOSS)));

/** An error on the wire. An unknown code is read as `internal`; its `retry` still applies. */
export const WireErrorSchema = z.object({
  code: z.catch(z.enum(sentErrorCodes), 'internal'),
  message: z.string(),
  retry: z.optional(z.catch(z.enum(retries), 'later')),
  /** Milliseconds to wait before another attempt, where known. */
  retryAfter: z.optional(z.number().check(z.minimum(0))),
});

/** The reason that a round or a run ended: an error, and the facts of its code where it has any. */
export const ReasonSchema = z.extend(WireErrorSchema, { facts: z.exactOptional(FactsSchema) });
export type Reason = z.infer<typeof ReasonSchema>;

/** Milliseconds spent in each phase of a round. */
export const PhaseTimesSchema = z.partialRecord(PhaseSchema, z.number());

/** Outcome of a cohort member in a round. One that a reader does not know did not count. */
export const OutcomeSchema = readUnknownAs(
  z.enum(['asked', 'accepted', 'late', 'declined', 'away', 'left', 'refused']),
  'late',
);
export type Outcome = z.infer<typeof OutcomeSchema>;

/** One round as it is stored and shown. Times in milliseconds since the epoch. */
export const RoundSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int().check(z.minimum(1)),
  /** Attempts at this round: 1, and one more for each abandoned one. */
  attempt: z.int().check(z.minimum(1)),
  outcome: z.enum(['open', 'committed', 'abandoned']),
  /** The reason that it was abandoned. */
  reason: z.nullable(ReasonSchema),
  startedAt: z.number(),
  endedAt: z.nullable(z.number()),
  /** Updates aimed for, participants asked, updates accepted. */
  target: z.int(),
  asked: z.int(),
  accepted: z.int(),
  refused: z.int(),
  /** Updates whose weight was capped, and updates whose norm was scaled down. */
  capped: z.optional(z.int()),
  scaled: z.optional(z.int()),
  /** L2 norms to which longer updates were scaled down: by group for its steps, and by `<group>/averages` for its averages. */
  normBounds: z.optional(z.record(z.string(), z.number())),
  /** Medians of the accepted updates' norms in the last rounds, this one included, by the same names; the newest last. */
  norms: z.optional(z.record(z.string(), z.array(z.number()))),
  examples: z.int(),
  phases: PhaseTimesSchema,
  /** Bytes through the cohort's sockets, and of its parcels over HTTP, from selection to commit; up is toward the coordinator. */
  bytesUp: z.number(),
  bytesDown: z.number(),
  /** The model made by this round, on the coordinator's held-out data. */
  central: z.nullable(MetricsSchema),
  /** The same model on the participants' own held-out data, weighted by example count; known one round later. */
  federated: z.nullable(MetricsSchema),
  /** Mean local training loss of the accepted updates, weighted by example count. */
  trainingLoss: z.nullable(z.number()),
  /**
   * Quartiles of the same three over participants, which few of them cannot move as they can a mean. Loss and accuracy
   * belong to `federated` and arrive with it. `null`: fewer than five participants.
   */
  spread: z.optional(
    z.strictObject({
      trainingLoss: z.nullable(QuartilesSchema),
      loss: z.nullable(QuartilesSchema),
      accuracy: z.nullable(QuartilesSchema),
    }),
  ),
  /** Weights hashes of the model before the round and of the one it made. */
  parent: HashSchema,
  checkpoint: z.nullable(HashSchema),
  cohort: z.array(
    z.strictObject({
      participant: ParticipantIdSchema,
      outcome: OutcomeSchema,
      milliseconds: z.nullable(z.number()),
      /**
       * True where this member missed the round: it declined, left, was refused, or had not answered at the deadline.
       * False for members that were overtaken, and for all where the coordinator restarted while the round was open.
       */
      missed: z.optional(z.boolean()),
    }),
  ),
});
export type Round = z.infer<typeof RoundSchema>;

/**
 * A run's public summary. Where a run is not open, only participants that it admits see its metrics (`central`); others
 * get null.
 */
export const RunSummarySchema = z.strictObject({
  id: RunIdSchema,
  task: TaskIdSchema,
  title: LocalizedSchema,
  status: RunStatusSchema,
  admission: AdmissionSchema,
  phase: PhaseSchema,
  /** Rounds committed, and rounds planned. */
  round: z.int(),
  rounds: z.int(),
  /** Participants joined and connected, and the number that a round needs to begin. */
  participants: z.int(),
  needed: z.int(),
  /** Milliseconds since the epoch at which the open round closes by timer. */
  deadlineAt: z.nullable(z.number()),
  central: z.nullable(MetricsSchema),
  checkpoint: HashSchema,
});
export type RunSummary = z.infer<typeof RunSummarySchema>;

/** A run as the admin sees it. */
export const RunSchema = z.extend(RunSummarySchema, {
  /** Grows with every run of the coordinator: the order of creation. */
  sequence: z.int(),
  /** The checkpoint that the run began from; null where its first weights came from the seed, or were given with the task. */
  from: z.nullable(CheckpointIdSchema),
  /** The first weights of a run that began from no checkpoint, where the task has given ones. */
  firstWeights: z.exactOptional(FirstWeightsSchema),
  cause: CauseSchema,
  plan: PlanSchema,
  createdAt: z.number(),
  endedAt: z.nullable(z.number()),
  /** The reason that the coordinator paused it, or that it failed. */
  reason: z.nullable(ReasonSchema),
});
export type Run = z.infer<typeof RunSchema>;
