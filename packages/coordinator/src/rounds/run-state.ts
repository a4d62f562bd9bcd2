import { type Steps, type Strategy, type StrategyState, strategyOf } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  type Admission,
  type AgreedScaling,
  type Ask,
  type Codec,
  type Layout,
  layoutHash,
  layoutSize,
  type Metrics,
  modelParts,
  movesBySteps,
  type Round,
} from '@coppice/protocol';
import { Tickets } from '../exchanges/tickets.ts';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { RunEvent } from '../monitoring/new-event.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import { Attendance } from './attendance.ts';
import type { Audience } from './audience.ts';
import { Members } from './members.ts';
import { ModelSteps, type SentModel } from './model-steps.ts';
import { OpenExchanges } from './open-exchanges.ts';
import {
  type GivenParcel,
  inCodec,
  notCurrent,
  type PackedModel,
  type PackedModels,
  packFrozen,
  packGiven,
  packModels,
} from './packed-model.ts';
import { RecordLane } from './record-lane.ts';
import type { RetryPauses } from './retries.ts';
import { type RunForms, runForms } from './run-forms.ts';

/** How a run tells the rest of the coordinator what happened. */
export interface RunObserver {
  runChanged(): void;
  roundChanged(round: Round): void;
  participantsChanged(): void;
  event(event: RunEvent): void;
}

/** Tells of a change that the run's summary and its participants' rows may both show. */
export function allChanged(observer: Pick<RunObserver, 'runChanged' | 'participantsChanged'>): void {
  observer.runChanged();
  observer.participantsChanged();
}

/** A committed model and the strategy's memory with it. */
export interface CurrentModel {
  readonly round: number;
  readonly hash: string;
  readonly weights: Float32Array;
  readonly state: StrategyState;
}

/** What a run works with. */
export interface RunOptions {
  readonly record: RunRecord;
  readonly layout: Layout;
  readonly model: CurrentModel;
  readonly central: Metrics | null;
  /** The round record that made the newest model, to add late metrics to. */
  readonly lastRound: Round | null;
  /** Records of the rounds so far, in the order of rounds and attempts. Default: none. */
  readonly rounds?: readonly Round[];
  /** The attempt that comes next; more than 1 where the last ones were abandoned. */
  readonly attempt: number;
  /** 1 s to 30 s by themselves. */
  readonly retryPauses?: RetryPauses | undefined;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly audience: Audience;
  readonly models: ModelWorker;
  readonly observer: RunObserver;
  /**
   * Stores what the run's participants agreed on, once for the task: all its runs are told by `takeScaling`, this one too.
   *
   * @throws CoppiceError `storage-failed` and its kin.
   */
  readonly agreeScaling: (task: string, agreed: AgreedScaling) => Promise<void>;
  /** The run's admission as it is now. Callers hold to it before anyone speaks to the run. */
  readonly admission: () => Admission;
  /** A secret of the run: the same one after a restart. */
  readonly secret: string;
  /** The training rule; left out, the one that the plan names. */
  readonly strategy?: Strategy | undefined;
  /** The current model as it travels: see `packRun`. */
  readonly packed: PackedRun;
}

/** A run's current model, and what its strategy gives with it, as they travel. */
export interface PackedRun {
  readonly models: PackedModels;
  readonly given: readonly GivenParcel[];
  /** Tensors that no round of the run moves; `null`: its models travel as one. */
  readonly frozen: GivenParcel | null;
}

/** Packs what a run begins or goes on with, a piece at a time. */
export function* packRun({
  record: { plan },
  layout,
  model,
  strategy = strategyOf(plan),
}: Pick<RunOptions, 'record' | 'layout' | 'model' | 'strategy'>): Steps<PackedRun> {
  const models = yield* packModels(model, { plan, layout, layoutHash: layoutHash(layout) });
  const given = yield* packGiven(strategy.server.given?.(model.state) ?? {}, layout);
  return { models, given, frozen: yield* packFrozen(model.weights, layout) };
}

/** The state that a run's parts share: its record, its model, its participants, its open exchanges. */
export class RunState {
  readonly members = new Members();
  readonly exchanges = new OpenExchanges();
  readonly attendance: Attendance;
  readonly layoutHash: Uint8Array;
  /** Every write of `record` goes through it, and `record` is what storage holds. */
  readonly lane = new RecordLane();
  record: RunRecord;
  lastRound: Round | null;
  #model: CurrentModel;
  #central: Metrics | null;
  #packed: PackedModels;
  #given: readonly GivenParcel[];
  /** Tensors that no round of the run moves; `null`: its models travel as one. */
  readonly #frozen: GivenParcel | null;
  readonly forms: RunForms;
  readonly tickets: Tickets;
  /** Draws the cohorts, and seals the tickets. */
  readonly secret: string;
  readonly #steps: ModelSteps | null;

  constructor(options: RunOptions) {
    const { record, layout, model, central, lastRound, rounds, secret, strategy, packed } = options;
    this.attendance = new Attendance(rounds);
    this.layoutHash = layoutHash(layout);
    this.secret = secret;
    this.tickets = new Tickets(record.id, secret);
    this.forms = runForms(layout, record.task, record.plan, strategy);
    this.record = record;
    this.lastRound = lastRound;
    this.#model = model;
    this.#central = central;
    this.#packed = packed.models;
    this.#given = packed.given;
    this.#frozen = packed.frozen;
    const { downloadCodec: codec } = record.plan;
    const moving = modelParts(layout)?.moving ?? layout;
    this.#steps = movesBySteps(record.plan)
      ? new ModelSteps(model.hash, { codec, layoutHash: layoutHash(moving), parameters: layoutSize(moving) })
      : null;
  }

  get model(): CurrentModel {
    return this.#model;
  }

  /** The model on the coordinator's held-out data. */
  get central(): Metrics | null {
    return this.#central;
  }

  /**
   * The exact model, for one who has another, or none (`null`).
   *
   * @param parts whether a model with frozen tensors goes in parts: the moving one, and the header of the frozen one.
   */
  sent(has: string | null, parts: boolean): SentModel {
    const frozen =
      parts && this.#frozen !== null
        ? { frozen: { hash: this.#frozen.hash, frame: this.#frozen.packed.frame } }
        : {};
    const steps = this.#stepsFrom(has);
    if (steps !== null) return { ...steps, ...frozen };
    if (!parts) return { frame: this.#packed.whole.frame };
    return { ...this.#moving(this.#packed.exact), ...frozen };
  }

  #stepsFrom(base: string | null): SentModel | null {
    const frame = base === null ? null : (this.#steps?.from(base) ?? null);
    return base === null || frame === null ? null : { base, frame };
  }

  #moving({ frame }: PackedModel): SentModel {
    const { moving } = this.#packed;
    return moving === null ? { frame } : { moving, frame };
  }

  /** The parcels of a question to train: the model, its frozen tensors, then those that the strategy gives. */
  trainParcels(participant: string): Ask['parcels'] {
    return [...this.#modelParcels(participant, this.#packed.toTrain), ...this.#given.map(asParcel)];
  }

  /** The parcels of a question to measure the current model. */
  evaluateParcels(participant: string): Ask['parcels'] {
    return this.#modelParcels(participant, this.#packed.exact);
  }

  #modelParcels(participant: string, packed: PackedModel): Ask['parcels'] {
    const { hash } = this.#model;
    const sent = this.#stepsFrom(this.members.has(participant)) ?? this.#moving(packed);
    this.members.receives(participant, hash);
    const frozen = this.#frozen === null ? [] : [asParcel(this.#frozen)];
    return [{ name: 'model', hash, ...sent }, ...frozen];
  }

  /** Checks that the current model, or a parcel beside it, has this hash. */
  isCurrent(hash: string): boolean {
    const beside = [...this.#given, ...(this.#frozen === null ? [] : [this.#frozen])];
    const own = [this.#model.hash, this.#packed.moving];
    return own.includes(hash) || beside.some((parcel) => parcel.hash === hash);
  }

  /** A current parcel as it travels. @throws CoppiceError `checkpoint-unknown`, `message-invalid` */
  parcel(hash: string, codec: Codec): PackedModel {
    const { whole, exact, toTrain, moving } = this.#packed;
    if (hash === moving) return inCodec([exact, toTrain], codec);
    if (hash === this.#model.hash) return inCodec(moving === null ? [whole, toTrain] : [whole], codec);
    const beside = [...this.#given, ...(this.#frozen === null ? [] : [this.#frozen])];
    const found = beside.find((parcel) => parcel.hash === hash);
    if (found === undefined) throw notCurrent(this.record.id);
    return inCodec([found.packed], codec);
  }

  /**
   * @param made.packed the model, packed; @param made.given the strategy's parcels.
   * @param made.step that led from the model before to this one, as it travels; `null` where models travel whole.
   */
  moveOn(
    model: CurrentModel,
    central: Metrics | null,
    round: Round,
    made: { packed: PackedModels; given: readonly GivenParcel[]; step: Uint8Array | null },
  ): void {
    if (made.step !== null) this.#steps?.add(made.step, model.hash);
    this.#model = model;
    this.#central = central;
    this.#packed = made.packed;
    this.#given = made.given;
    this.lastRound = round;
    this.attendance.add(round);
  }
}

function asParcel({ name, hash, packed }: GivenParcel): Ask['parcels'][number] {
  return { name, hash, frame: packed.frame };
}
