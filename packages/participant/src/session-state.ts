import type {
  Layout,
  Metrics,
  Outcome,
  Peers,
  Plan,
  ReleaseNews,
  RoundEnd,
  RunSummary,
  Task,
  WatchInfo,
  WireError,
} from '@coppice/protocol';
import type { BackendName } from '@coppice/training';
import type { ParcelPass } from './parcel-source.ts';
import type { MonitorTerms } from './session/monitored-task.ts';
import type { ObservedPrediction } from './watch/observation.ts';

/** Current activity of a participant. */
export type Activity =
  /** Takes part in no run. */
  | { kind: 'idle' }
  /** Joined, without examples to train on. */
  | { kind: 'needs-data' }
  /** Joined; waits for a round to begin, or was not selected for this one. */
  | { kind: 'waiting' }
  | { kind: 'paused' }
  /** A large model is being received; a small one arrives with the question. */
  | { kind: 'receiving'; round: number; received: number; bytes: number }
  /** The model has arrived and is being prepared on the device (warm-up, shader compilation). */
  | { kind: 'preparing'; round: number }
  | { kind: 'evaluating'; round: number }
  | {
      kind: 'training';
      round: number;
      epoch: number;
      epochs: number;
      step: number;
      steps: number;
      loss: number | null;
    }
  /** The first `sent` of `bytes` have arrived; an update no larger than a piece arrives at once. */
  | { kind: 'sending'; round: number; sent: number; bytes: number }
  /** Delivered; the round is still open for others. */
  | { kind: 'delivered'; round: number }
  /** The run is over. */
  | { kind: 'ended' };

/** A message that left the device, as shown in the outbound log. It never contains examples. */
export interface OutboundRecord {
  readonly at: number;
  readonly name: string;
  /** Bytes of the control message and of its frame. */
  readonly bytes: number;
  /** The control message's fields, without the frame. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** For updates: the L2 norm of the sent change. */
  readonly norm?: number;
  /** For answers to a task's questions: the kind of the question. */
  readonly question?: string;
}

/** A task whose predictions are watched on this device. */
export interface MonitoredState {
  /** True while the coordinator knows, on this connection, that this device answers. */
  readonly offered: boolean;
  /** Whether the coordinator watches the task; null before the first offer. */
  readonly watched: boolean | null;
  /** Opens the models that this device predicts with, also where their run is not open; null: the coordinator gave none. */
  readonly pass: ParcelPass | null;
  /** What is reported now, or was at last; null before the first answer. */
  readonly info: WatchInfo | null;
  /** Predictions since the last report, and outcomes that came since; told every few seconds. */
  readonly observations: number;
  readonly labelled: number;
  /** The period of the last report that was acknowledged in this session. */
  readonly reported: number | null;
  /** Answers of all kinds that were acknowledged in this session. */
  readonly answered: number;
  /** Questions of this session that this device had too few predictions or examples to answer. */
  readonly withheld: number;
  /** The last failure. `consent-outdated`: nothing is sent until `monitor` is called with the consent to what is reported now. */
  readonly error: WireError | null;
}

export interface SessionState {
  /** `refused`: the coordinator refuses this program or participant; see `error`. */
  readonly connection: 'connecting' | 'online' | 'offline' | 'refused';
  readonly operator: string | null;
  readonly participant: string | null;
  /** The coordinator's clock minus this device's, milliseconds; null before the first connection. */
  readonly clockOffset: number | null;
  readonly runs: readonly RunSummary[];
  /** The run this participant takes part in. */
  readonly joined: {
    readonly run: string;
    readonly task: Task;
    readonly plan: Plan;
    readonly layout: Layout;
  } | null;
  readonly activity: Activity;
  readonly paused: boolean;
  readonly peers: Peers | null;
  readonly backend: BackendName | null;
  /** The reason for another backend than the intended one, e.g. a layer without kernels. */
  readonly backendNote: string | null;
  /** The lost backend that the current one replaced. */
  readonly backendLost: BackendName | null;
  /** Training speed, examples a second. */
  readonly speed: number | null;
  /** The last closed round and this participant's part in it. */
  readonly lastRound: RoundEnd | null;
  /** Updates accepted since this session began, and the outcomes of the last rounds, newest last. */
  readonly accepted: number;
  readonly outcomes: readonly {
    readonly round: number;
    readonly outcome: Outcome | null;
    readonly reason: WireError | null;
  }[];
  /** Metrics of the global model on this device's held-out examples, round by round. */
  readonly localMetrics: readonly { readonly round: number; readonly metrics: Metrics }[];
  /** Releases by task, of tasks with a canary that this participant has an arm of and of tasks it monitors, once a channel moved. */
  readonly releases: Readonly<Record<string, ReleaseNews>>;
  /** The tasks that are monitored. */
  readonly monitored: Readonly<Record<string, MonitoredState>>;
  /** The newest global model on this device. */
  readonly model: { readonly round: number; readonly checkpoint: string } | null;
  /** Messages and bytes in each direction over the socket, and parcels over HTTP; of those, bytes from the browser's cache count, too. */
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly received: { readonly messages: number; readonly bytes: number };
  /** The last 100 messages sent, newest last. */
  readonly outbound: readonly OutboundRecord[];
  /** The last error; null once it is resolved. */
  readonly error: WireError | null;
}

/** A participant's side of the protocol. All its state is in `state`, a new object after every change. */
export interface Session {
  readonly state: SessionState;
  subscribe(changed: (state: SessionState) => void): () => void;
  connect(): void;
  /**
   * Joins a run, and joins it again after each reconnection until `leave`.
   *
   * @param invitation the secret of an invitation, for a run that would not admit this participant otherwise.
   */
  join(run: string, invitation?: string | null): Promise<void>;
  /**
   * Watches runs that are not joined: every change of `runs`, over or not, and the start, pause or end of any other.
   * The results are in `state.runs`. Each call replaces earlier watches, and they are renewed after reconnections.
   * Without it, `state.runs` has the runs at the last connection, and the joined one.
   *
   * @param runs at most `MAX_WATCHED_RUNS`; further ones are not watched.
   */
  watch(runs: readonly string[]): Promise<void>;
  leave(): Promise<void>;
  /** Stops a current training; the participant is not selected until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Reports to the coordinator that the local examples changed. */
  dataChanged(): Promise<void>;
  /** The weights of the first global model seen in this run and of the newest one. */
  models(): { readonly first: SavedModel | null; readonly latest: SavedModel | null };
  /** Fetches the current global model of a run, joined or not. */
  pull(run: string): Promise<SavedModel>;
  /**
   * Counts predictions of a task from now on, and offers answers to its questions, also after reconnections. What was counted
   * before on this device goes on.
   *
   * @throws CoppiceError `consent-outdated`, `run-not-admitted`, `invitation-invalid`, `report-mismatch`, `task-unknown`;
   *   `message-invalid` where the coordinator cannot be understood.
   */
  monitor(task: string, how: MonitorTerms): Promise<void>;
  /** Answers no question of a task any more, and forgets what was counted. */
  unmonitor(task: string): void;
  /**
   * Counts a prediction that was made on this device. Those of other models than the release that is watched, and of tasks
   * that are not monitored, count nowhere.
   *
   * @throws CoppiceError `data-invalid` where it does not belong to the task.
   */
  observe(task: string, prediction: ObservedPrediction): void;
  /**
   * Counts the outcome of an earlier prediction, hours or days later, once.
   *
   * @param label the index of the class, or the number in the target's unit.
   * @returns false where no prediction with this id awaits one.
   * @throws CoppiceError `data-invalid` for a label that is none.
   */
  outcome(task: string, id: string, label: number): Promise<boolean>;
  /** Writes what was counted, now: for the moment before a page may end. Else it is written every few seconds. */
  save(): Promise<void>;
  close(): void;
}

export interface SavedModel {
  readonly round: number;
  readonly checkpoint: string;
  readonly weights: Float32Array;
}

/** The state of a session before it connects. */
export const initialState: SessionState = {
  connection: 'connecting',
  operator: null,
  participant: null,
  clockOffset: null,
  runs: [],
  joined: null,
  activity: { kind: 'idle' },
  paused: false,
  peers: null,
  backend: null,
  backendNote: null,
  backendLost: null,
  speed: null,
  lastRound: null,
  accepted: 0,
  outcomes: [],
  localMetrics: [],
  releases: {},
  monitored: {},
  model: null,
  sent: { messages: 0, bytes: 0 },
  received: { messages: 0, bytes: 0 },
  outbound: [],
  error: null,
};
