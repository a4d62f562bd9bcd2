import type {
  Layout,
  Metrics,
  Outcome,
  Peers,
  Plan,
  RoundEnd,
  RunSummary,
  Task,
  WireError,
} from '@coppice/protocol';
import type { BackendName } from '@coppice/training';

/** What a participant is doing right now, for one sentence on a page. */
export type Activity =
  /** Not taking part in a run. */
  | { kind: 'idle' }
  /** Joined, but there are no examples to train on yet. */
  | { kind: 'needs-data' }
  /** Joined; a round begins when enough are there, or this one was not selected. */
  | { kind: 'waiting' }
  | { kind: 'paused' }
  /** A large model is on its way here; a small one comes with the round. */
  | { kind: 'receiving'; round: number; received: number; bytes: number }
  /** The model arrived and is being put on the device (warm-up, shader compilation). */
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
  /** Of `bytes` the first `sent` have arrived; they arrive all at once where the update is no larger than a piece. */
  | { kind: 'sending'; round: number; sent: number; bytes: number }
  /** Delivered; the round is still open for others. */
  | { kind: 'delivered'; round: number }
  /** The run is over. */
  | { kind: 'ended' };

/** One message that left the device: what the outbound log shows. Never holds data. */
export interface OutboundRecord {
  readonly at: number;
  readonly name: string;
  /** Bytes of the control message and of its frame. */
  readonly bytes: number;
  /** The control message's fields, without the frame. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** For updates: the L2 norm of what was sent. */
  readonly norm?: number;
}

export interface SessionState {
  /** `refused`: the coordinator will not talk to this program as it is; see `error`. */
  readonly connection: 'connecting' | 'online' | 'offline' | 'refused';
  readonly operator: string | null;
  readonly participant: string | null;
  /** The coordinator's clock minus this device's, milliseconds. */
  readonly clockOffset: number;
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
  /** Why it is not the backend that was meant, as when a model has a layer that there are no kernels for. */
  readonly backendNote: string | null;
  /** The backend that was lost, in whose place the present one came. */
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
  /** The global model on this device's own held-out examples, round by round. */
  readonly localMetrics: readonly { readonly round: number; readonly metrics: Metrics }[];
  /** The newest global model on this device. */
  readonly model: { readonly round: number; readonly checkpoint: string } | null;
  /** All that left and reached this device over the socket, and parcels over HTTP; of those, bytes from the browser's cache count, too. */
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly received: { readonly messages: number; readonly bytes: number };
  /** The last 100 messages sent, newest last. */
  readonly outbound: readonly OutboundRecord[];
  /** The last thing that went wrong; null once it is over. */
  readonly error: WireError | null;
}

/** A participant's side of the protocol. All its state is in `state`, replaced at every change. */
export interface Session {
  readonly state: SessionState;
  subscribe(changed: (state: SessionState) => void): () => void;
  connect(): void;
  /**
   * Takes part in a run; stays joined through reconnections until `leave`.
   *
   * @param invitation the secret of an invitation, for a run that would not admit this participant without.
   */
  join(run: string, invitation?: string | null): Promise<void>;
  /**
   * Asks to hear of runs that are not joined: of every change of these, over or not, and of each run that comes, starts,
   * pauses or ends. `state.runs` has them. It takes the place of what was watched before, and is kept up through
   * reconnections. Without it `state.runs` has what there was at the last connection, and the run that was joined.
   *
   * @param runs at most `MAX_WATCHED_RUNS`; those beyond are not watched.
   */
  watch(runs: readonly string[]): Promise<void>;
  leave(): Promise<void>;
  /** Stops a training that is under way and is not selected until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Tells the coordinator that the local examples changed. */
  dataChanged(): Promise<void>;
  /** The weights of the first global model seen in this run and of the newest one. */
  models(): { readonly first: SavedModel | null; readonly latest: SavedModel | null };
  /** Fetches the current global model of a run, joined or not. */
  pull(run: string): Promise<SavedModel>;
  close(): void;
}

export interface SavedModel {
  readonly round: number;
  readonly checkpoint: string;
  readonly weights: Float32Array;
}
