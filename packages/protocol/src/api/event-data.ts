import * as z from 'zod/mini';
import { FactsSchema } from '../failure.ts';
import { MAX_TEXT } from '../limits.ts';
import { CheckpointIdSchema } from '../lineage.ts';
import { ChannelSchema } from '../release.ts';
import { FirstWeightsSchema } from '../run.ts';
import { TaskIdSchema } from '../task.ts';
import { FiringOutcomeSchema, firingCauses, gateChecks, launchHindrances } from './continuity.ts';

const CountSchema = z.int().check(z.minimum(0));
/** A code of docs/errors. A newer participant's code may be unknown to this side. */
const CodeSchema = z.string().check(z.maxLength(60));

/** A failure: its code, the facts of that code, and an English sentence with details that have no facts. */
const failure = {
  code: CodeSchema,
  detail: z.string().check(z.maxLength(MAX_TEXT)),
  facts: z.exactOptional(FactsSchema),
};
const FailureSchema = z.object(failure);
const NothingSchema = z.object({});
/** A failure where the coordinator acted; empty where an admin did. */
const OwnActSchema = z.object({
  code: z.exactOptional(failure.code),
  detail: z.exactOptional(failure.detail),
  facts: failure.facts,
});

/** What alarms of a task's period have in common. */
const alarm = {
  task: TaskIdSchema,
  period: CountSchema,
  participants: CountSchema,
  alarms: CountSchema,
  tested: CountSchema,
};

/** What events of a firing have in common: the task, and its number among those of the task. */
const firing = { task: TaskIdSchema, firing: CountSchema };
const causes = z.array(z.enum(firingCauses));

/** The data of every kind of event. The run and the round are in the event itself. */
export const eventData = {
  /**
   * `from`: the checkpoint that the run began from; left out where there was none. `firstWeights`: of a run from no
   * checkpoint, where the task has given weights.
   */
  'run-created': z.object({
    from: z.exactOptional(CheckpointIdSchema),
    firstWeights: z.exactOptional(FirstWeightsSchema),
  }),
  'run-running': NothingSchema,
  /** With a failure where the coordinator paused the run, without one where an admin did. */
  'run-paused': OwnActSchema,
  /** With a failure where the coordinator stopped the run, without one where an admin did. */
  'run-stopped': OwnActSchema,
  'run-finished': z.object({ rounds: CountSchema }),
  /** `next`: the round that the run goes on with after a restart of the coordinator. */
  'run-recovered': z.object({ next: CountSchema }),
  'participant-joined': z.object({ device: z.enum(['browser', 'headless']), backend: z.string() }),
  'participant-left': NothingSchema,
  'participant-put-out': z.object({ code: CodeSchema }),
  /** Events of one participant beyond the kinds that are written one by one; only counted. */
  'participant-events': NothingSchema,
  'update-refused': FailureSchema,
  'update-declined': z.object({ code: CodeSchema }),
  /** The participants agreed on the scaling of the run's task. */
  'scaling-agreed': z.object({ participants: CountSchema, examples: CountSchema }),
  /** The participants could not agree on the scaling of the run's task now; they are asked again. */
  'scaling-failed': FailureSchema,
  'round-started': z.object({ asked: CountSchema, target: CountSchema }),
  'round-recovered': z.object({ accepted: CountSchema, target: CountSchema }),
  'round-ended-by-admin': NothingSchema,
  /**
   * `bytes`: both ways, `null` where they are not known any more; `accuracy`: 0–1 on the coordinator's test data, `null`
   * where there is none.
   */
  'round-committed': z.object({
    accepted: CountSchema,
    asked: CountSchema,
    bytes: z.nullable(z.number()),
    accuracy: z.nullable(z.number()),
  }),
  /** Updates reduced before they counted: to the weight cap, or to a norm bound. */
  'updates-shortened': z.object({ accepted: CountSchema, capped: CountSchema, scaled: CountSchema }),
  /** Running variances of the model that would have become negative and were set to 0. */
  'variances-kept': z.object({ variances: CountSchema }),
  /** No participant reported a finite loss for the round's model; `examples`: the number held out by those that measured it. */
  'federated-loss-null': z.object({ examples: CountSchema }),
  'round-abandoned': FailureSchema,
  /** Answers on disk that were unusable after a restart. */
  'spool-damaged': FailureSchema,
  /**
   * A move of a channel; the run of the event is that of `checkpoint`. `before`, `checkpoint`: null where the channel
   * named none; `undone`: true where it took an earlier move back; `by`: the name of its author; `reason`: in the
   * author's words.
   */
  'release-moved': z.object({
    task: TaskIdSchema,
    channel: ChannelSchema,
    sequence: CountSchema,
    checkpoint: z.nullable(CheckpointIdSchema),
    before: z.nullable(CheckpointIdSchema),
    undone: z.boolean(),
    by: z.string(),
    /** The number of the firing that moved it, whose first cause `by` is; left out where an admin did. */
    firing: z.exactOptional(CountSchema),
    reason: z.string().check(z.maxLength(MAX_TEXT)),
  }),
  /** A trigger fired: a run is launched from `production`. `period`: the one with the evidence; null before the first. */
  'firing-began': z.object({
    ...firing,
    period: z.nullable(CountSchema),
    causes,
    production: CheckpointIdSchema,
  }),
  /** A trigger has a cause and launches nothing. Told once, until the hindrances change. */
  'launch-hindered': z.object({
    task: TaskIdSchema,
    period: CountSchema,
    causes,
    hindrances: z.array(z.enum(launchHindrances)),
  }),
  /** `share`: of participants that have the candidate, in (0, 0.5]. */
  'canary-began': z.object({ ...firing, candidate: CheckpointIdSchema, share: z.number() }),
  /** `candidate`: null where its run made none; `checks`: those of the comparison that it did not pass. */
  'firing-ended': z.object({
    ...firing,
    outcome: FiringOutcomeSchema,
    candidate: z.nullable(CheckpointIdSchema),
    checks: z.array(z.enum(gateChecks)),
  }),
  /**
   * A watched task's inputs, predictions or confidences drifted in a period. Of `alarms` out of `tested` histograms the worst:
   * `role`, its `name` (empty but of an input), and its `effect`, a population stability index.
   */
  'drift-alarm': z.object({
    ...alarm,
    role: z.enum(['input', 'prediction', 'confidence']),
    name: z.string(),
    effect: z.number(),
  }),
  /** Bad values of a watched task rose in a period. Of the columns with an alarm the worst; shares 0–1. */
  'data-quality-alarm': z.object({
    ...alarm,
    name: z.string(),
    fault: z.enum(['missing', 'outside', 'other']),
    reference: z.number(),
    current: z.number(),
  }),
  /**
   * A task is not watched any more: the next exchange would cost more than its privacy budget has left. `epsilon`: spent
   * until now, at `delta`; `budget`: the most.
   */
  'privacy-budget-spent': z.object({
    task: TaskIdSchema,
    epsilon: z.number(),
    budget: z.number(),
    delta: z.number(),
  }),
  'storage-failed': FailureSchema,
  /** Storage accepts writes again; `since`: the first refused write, milliseconds since the epoch. */
  'storage-refused': z.object({ code: CodeSchema, since: z.number() }),
} as const;

/** The data of each kind of event. */
export type EventData = { readonly [K in keyof typeof eventData]: Readonly<z.infer<(typeof eventData)[K]>> };
export type EventKind = keyof EventData;
export const eventKinds = Object.keys(eventData) as readonly EventKind[];

/** A kind of event with its data. */
export type KnownEvent<K extends EventKind = EventKind> = {
  readonly [k in K]: { readonly kind: k; readonly data: EventData[k] };
}[K];

/**
 * Reads an event that another version may have written.
 *
 * @returns `null` for a kind, or data of a kind, that this side does not know: then its `message` says what happened.
 */
export function knownEvent({
  kind,
  data,
}: {
  readonly kind: string;
  readonly data: unknown;
}): KnownEvent | null {
  if (!Object.hasOwn(eventData, kind)) return null;
  const read = eventData[kind as EventKind].safeParse(data ?? {});
  return read.success ? ({ kind, data: read.data } as KnownEvent) : null;
}
