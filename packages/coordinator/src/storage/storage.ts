import type { StrategyState } from '@coppice/federation';
import type {
  Admission,
  Cause,
  Checkpoint,
  CheckpointId,
  Event,
  Metrics,
  Plan,
  Reason,
  Round,
  RunStatus,
  Task,
} from '@coppice/protocol';
import type { AdminStorage } from './admin-storage.ts';
import type { AdmissionStorage } from './admission-storage.ts';
import type { ParticipantStorage } from './participant-storage.ts';
import type { RetentionRule } from './retention.ts';

/** A run as it is stored: what cannot be derived from its rounds. */
export interface RunRecord {
  /** `<task>-<n>`; `n` counts the runs of a task and is given out once. */
  readonly id: string;
  /** Grows with every run of the coordinator: the order of creation, whatever the clock says. */
  readonly sequence: number;
  /** The checkpoint that its first weights are those of; null where the seed drew them. */
  readonly from: CheckpointId | null;
  readonly cause: Cause;
  readonly task: Task;
  readonly plan: Plan;
  readonly status: RunStatus;
  /** Draws the run's cohorts and seals its tickets; runs of earlier versions have none. */
  readonly secret?: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly reason: Reason | null;
}

/** A checkpoint with its weights and the strategy's memory after it. */
export interface StoredModel {
  readonly checkpoint: Checkpoint;
  readonly weights: Float32Array;
  readonly state: StrategyState;
}

/** A run that is about to be made, with its first weights. Storage gives it its id. */
export interface NewRun {
  readonly run: Omit<RunRecord, 'id' | 'sequence'>;
  readonly admission: Admission;
  readonly model: {
    readonly weights: Float32Array;
    readonly state: StrategyState;
    readonly central: Metrics | null;
  };
}

/** What becomes durable together when a round commits: all of it, or none. */
export interface Commit {
  /** Null where the round does not change the run's record. */
  readonly run: RunRecord | null;
  /** Null for a model that no round made. */
  readonly round: Round | null;
  readonly model: Omit<StoredModel, 'checkpoint'> & {
    /** Its id follows from run and round. */
    readonly checkpoint: Omit<Checkpoint, 'id'>;
  };
}

/** An event without its number; `data` left out: null. */
export type EventToStore = Omit<Event, 'id' | 'data'> & { readonly data?: Event['data'] };

/** So many events a page has at most, where no other limit is asked for. */
export const EVENTS_A_PAGE = 1000;

/**
 * With `after`: the events after that id, oldest first. With `before`: those before it, newest first. With neither:
 * the newest, oldest first. `limit` of them at most.
 */
export interface EventPage {
  readonly run?: string;
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
}

/**
 * Where a coordinator keeps what must survive it. Whoever implements this must pass `storageContract`.
 *
 * Every method may throw CoppiceError `storage-failed`, `storage-full` or `storage-read-only` (the medium
 * refused; nothing was changed), `storage-locked` (it is somebody else's by now), or `storage-corrupt` (what
 * was read is not what was written).
 */
export interface Storage extends AdminStorage, AdmissionStorage, ParticipantStorage {
  /** Adds a task of the admin's own. @throws CoppiceError `task-exists` */
  addTask(task: Task): Promise<void>;
  tasks(): Promise<Task[]>;

  /**
   * Makes a run, its admission and its round 0 durable in one transaction. Its number is the next that no run of
   * the task ever had.
   *
   * @returns the run with its id.
   */
  createRun(run: NewRun): Promise<RunRecord>;
  /** Replaces the record of a run. @throws CoppiceError `run-unknown` */
  putRun(run: RunRecord): Promise<void>;
  /** All runs in the order of their creation. */
  runs(): Promise<RunRecord[]>;

  /** Adds or replaces a round by run, round and attempt. For rounds that made no model, and for late metrics. */
  putRound(round: Round): Promise<void>;
  /** A run's rounds, oldest first. */
  rounds(run: string): Promise<Round[]>;

  /**
   * Makes a round's model, the strategy's state, the round and the run (each where given) durable in one transaction.
   *
   * @throws CoppiceError `run-unknown`
   */
  commit(commit: Commit): Promise<void>;
  /** A run's checkpoints, newest first. */
  checkpoints(run: string): Promise<Checkpoint[]>;
  /** The newest model of a run, or `null` before its first. */
  latest(run: string): Promise<StoredModel | null>;
  /**
   * The highest round, from 1 on, of the run of a task that was made last and has one; runs named in `without` are
   * left out. `null` where none has.
   */
  latestOfTask(task: string, without?: readonly string[]): Promise<Checkpoint | null>;
  /** The highest round, from 1 on, of a run; `null` where it has none. */
  latestOfRun(run: string): Promise<Checkpoint | null>;
  checkpoint(id: CheckpointId): Promise<Checkpoint | null>;
  /**
   * The checkpoint of a task with these weights: of several that of the run that was made first, and its first round.
   * Runs named in `without` are left out.
   */
  checkpointByHash(task: string, hash: string, without?: readonly string[]): Promise<Checkpoint | null>;
  /** The weights with this hash, verified. */
  weights(hash: string): Promise<Float32Array>;
  /** Adds measurements to a checkpoint that came after it was made. */
  putMetrics(checkpoint: Pick<Checkpoint, 'run' | 'round' | 'central' | 'federated'>): Promise<void>;

  /**
   * Forgets the checkpoints of a run that the rule does not keep, and deletes the weights that no checkpoint
   * names any more. Never what a commit under way is about to name.
   *
   * @returns how many checkpoints it forgot.
   */
  prune(run: string, rule: RetentionRule): Promise<number>;

  /** Appends to the event log, all or none; ids grow in the order given, by one where nothing was refused. */
  appendEvents(events: readonly EventToStore[]): Promise<Event[]>;
  /** A page of the event log. */
  events(page: EventPage): Promise<Event[]>;
  /** Deletes the events whose id is below this one. */
  forgetEvents(before: number): Promise<void>;

  close(): Promise<void>;
}
