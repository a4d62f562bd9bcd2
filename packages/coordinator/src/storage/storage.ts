import type { StrategyState } from '@coppice/federation';
import type {
  Admission,
  Cause,
  Checkpoint,
  CheckpointId,
  Event,
  FirstWeights,
  Metrics,
  Plan,
  Reason,
  Round,
  RunStatus,
  Task,
} from '@coppice/protocol';
import type { AdminStorage } from './admin-storage.ts';
import type { AdmissionStorage } from './admission-storage.ts';
import type { FiringStorage } from './firing-storage.ts';
import type { ParticipantStorage } from './participant-storage.ts';
import type { PeriodStorage } from './period-storage.ts';
import type { PolicyStorage } from './policy-storage.ts';
import type { ReferenceStorage } from './reference-storage.ts';
import type { ReleaseStorage } from './release-storage.ts';
import type { MeasuredCheckpoint, RetentionRule } from './retention.ts';
import type { WeightsStorage } from './weights-storage.ts';

/** A run in its stored form: the facts that cannot be derived from its rounds. */
export interface RunRecord {
  /** `<task>-<n>`; `n` counts the runs of a task and is given out once. */
  readonly id: string;
  /** Grows with every run of the coordinator: the order of creation, independent of the clock. */
  readonly sequence: number;
  /** The checkpoint with its initial weights; null where the seed drew them, or they were given with the task. */
  readonly from: CheckpointId | null;
  readonly firstWeights?: FirstWeights;
  readonly cause: Cause;
  readonly task: Task;
  readonly plan: Plan;
  readonly status: RunStatus;
  /** Secret seed of the run's cohorts and its tickets' seal; runs of earlier versions have none. */
  readonly secret?: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly reason: Reason | null;
}

/** A checkpoint with its weights and the strategy's state after it. */
export interface StoredModel {
  readonly checkpoint: Checkpoint;
  readonly weights: Float32Array;
  readonly state: StrategyState;
}

/** A run to be created, with its initial weights. Storage assigns its id. */
export interface NewRun {
  readonly run: Omit<RunRecord, 'id' | 'sequence'>;
  readonly admission: Admission;
  readonly model: {
    readonly weights: Float32Array;
    readonly state: StrategyState;
    readonly central: Metrics | null;
  };
}

/** Measurements of a model that came after it was stored. */
export interface Measured {
  readonly checkpoint: Pick<Checkpoint, 'run' | 'round' | 'central' | 'federated'> &
    Pick<MeasuredCheckpoint, 'typicalLoss'>;
  /** The record of the round that made it, with them; null for a model that is not the result of a round. */
  readonly round: Round | null;
}

/** Everything that a committed round makes durable, in one transaction. */
export interface Commit {
  /** Null where the round does not change the run's record. */
  readonly run: RunRecord | null;
  /** Null for a model that is not the result of a round. */
  readonly round: Round | null;
  readonly model: Omit<StoredModel, 'checkpoint'> & {
    /** Its id follows from run and round. */
    readonly checkpoint: Omit<Checkpoint, 'id'>;
  };
  /** What the round's participants measured of the model before; left out: nothing. */
  readonly measured?: Measured | null;
}

/** An event without its number; `data` left out: null. */
export type EventToStore = Omit<Event, 'id' | 'data'> & { readonly data?: Event['data'] };

/** The most events in a page, where no other limit is given. */
export const EVENTS_A_PAGE = 1000;

/**
 * With `after`: the events after that id, oldest first. With `before`: those before it, newest first. With neither: the
 * newest, oldest first. At most `limit` of them.
 */
export interface EventPage {
  readonly run?: string;
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
}

/**
 * Durable state of a coordinator. Every implementation must pass `storageContract`.
 *
 * Every method may throw CoppiceError `storage-failed`, `storage-full` or `storage-read-only` (the medium refused;
 * nothing was changed), `storage-locked` (another process has taken it over), or `storage-corrupt` (the content is not
 * what was written).
 */
export interface Storage
  extends AdminStorage,
    AdmissionStorage,
    FiringStorage,
    ParticipantStorage,
    PeriodStorage,
    PolicyStorage,
    ReferenceStorage,
    ReleaseStorage,
    WeightsStorage {
  /**
   * Adds a task of the admin's own.
   *
   * @param given the weights that `task.weights` names; they stay as long as the task does. Left out: none.
   * @throws CoppiceError `task-exists`
   */
  addTask(task: Task, given?: Float32Array): Promise<void>;
  tasks(): Promise<Task[]>;
  /**
   * Replaces a task by what `change` makes of it as it is stored, in one transaction. Its id stays.
   *
   * @returns the task as it is stored then.
   * @throws CoppiceError `task-unknown`; what `change` throws: then nothing was changed.
   */
  changeTask(id: string, change: (task: Task) => Task): Promise<Task>;

  /**
   * Makes a run, its admission and its round 0 durable in one transaction. Its number is the next that no run of the
   * task ever had.
   *
   * @returns the run with its id.
   */
  createRun(run: NewRun): Promise<RunRecord>;
  /** Replaces the record of a run. @throws CoppiceError `run-unknown` */
  putRun(run: RunRecord): Promise<void>;
  /** All runs in the order of creation. */
  runs(): Promise<RunRecord[]>;

  /** Adds or replaces a round by run, round and attempt, for rounds without a model, and for late metrics. */
  putRound(round: Round): Promise<void>;
  /** A run's rounds, oldest first. */
  rounds(run: string): Promise<Round[]>;
  /** One attempt of a round; `null` where it is not stored. Its cost does not grow with the run. */
  round(run: string, round: number, attempt: number): Promise<Round | null>;

  /**
   * Makes a round's model, the strategy's state, the round, the run and measurements of the model before (each where
   * given) durable in one transaction.
   *
   * @throws CoppiceError `run-unknown`
   */
  commit(commit: Commit): Promise<void>;
  /** A run's checkpoints, newest first. */
  checkpoints(run: string): Promise<Checkpoint[]>;
  /** The newest model of a run, or `null` before its first. */
  latest(run: string): Promise<StoredModel | null>;
  /**
   * The newest run of a task with a round from 1 on: its highest such round. Runs in `without` are ignored. `null`
   * where there is none.
   */
  latestOfTask(task: string, without?: readonly string[]): Promise<Checkpoint | null>;
  /** The highest round, from 1 on, of a run; `null` where it has none. */
  latestOfRun(run: string): Promise<Checkpoint | null>;
  checkpoint(id: CheckpointId): Promise<Checkpoint | null>;
  /**
   * The checkpoint of a task with these weights: of several, the first round of the first run. Runs in `without` are
   * ignored.
   */
  checkpointByHash(task: string, hash: string, without?: readonly string[]): Promise<Checkpoint | null>;
  /** The weights with this hash, verified. */
  weights(hash: string): Promise<Float32Array>;
  /** Adds late measurements to a checkpoint, and to the record of the round that made it, in one transaction. */
  putMetrics(measured: Measured): Promise<void>;

  /**
   * Deletes the checkpoints of a run that the rule does not keep, and the weights that no checkpoint names any more.
   * Never those that a pending commit is about to name, nor a checkpoint that a channel names.
   *
   * @param released a checkpoint that a channel named at this time or later stays too; left out: only those named now.
   * @returns the number of deleted checkpoints.
   */
  prune(run: string, rule: RetentionRule, released?: number): Promise<number>;

  /** Appends to the event log, all or none. Ids grow in the given order, by one where nothing was refused. */
  appendEvents(events: readonly EventToStore[]): Promise<Event[]>;
  /** A page of the event log. */
  events(page: EventPage): Promise<Event[]>;
  /** Deletes the events with lower ids. */
  forgetEvents(before: number): Promise<void>;

  close(): Promise<void>;
}
