import { encodeValues, type StrategyState } from '@coppice/federation';
import { type Clock, seededRandom } from '@coppice/ports';
import {
  type Codec,
  type Event,
  encodeFrame,
  float32Payload,
  type Layout,
  layoutHash,
  type Metrics,
  movesBySteps,
  type Round,
} from '@coppice/protocol';
import type { Evaluator } from '../evaluation/evaluator.ts';
import { nativeCrc32 } from '../native-crc32.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import type { Audience } from './audience.ts';
import { Members } from './members.ts';
import { ModelSteps, type SentModel } from './model-steps.ts';

/** How a run tells the rest of the coordinator what happened. */
export interface RunObserver {
  runChanged(): void;
  roundChanged(round: Round): void;
  participantsChanged(): void;
  event(event: Omit<Event, 'id' | 'at' | 'run'>): void;
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
  /** The attempt that comes next; more than 1 where the last ones were abandoned. */
  readonly attempt: number;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly audience: Audience;
  readonly evaluator: Evaluator;
  readonly observer: RunObserver;
}

/** What a run knows between its rounds: its record, its model, its participants. */
export class RunState {
  readonly members = new Members();
  readonly layoutHash: Uint8Array;
  record: RunRecord;
  lastRound: Round | null;
  #model: CurrentModel;
  #central: Metrics | null;
  #frame: Uint8Array;
  /** The model as it travels to training where that is not as it is; made when it is asked for. */
  #rounded: Uint8Array | null = null;
  readonly #layout: Layout;
  readonly #steps: ModelSteps | null;

  constructor({ record, layout, model, central, lastRound }: RunOptions) {
    this.layoutHash = layoutHash(layout);
    this.record = record;
    this.lastRound = lastRound;
    this.#model = model;
    this.#central = central;
    this.#layout = layout;
    this.#frame = this.#encode('float32', float32Payload(model.weights));
    const { downloadCodec: codec } = record.plan;
    const { length: parameters } = model.weights;
    this.#steps = movesBySteps(record.plan)
      ? new ModelSteps(model.hash, { codec, layoutHash: this.layoutHash, parameters })
      : null;
  }

  get model(): CurrentModel {
    return this.#model;
  }

  /** The model on the coordinator's held-out data. */
  get central(): Metrics | null {
    return this.#central;
  }

  /** What to train on, for one who has another model, or none (`null`). */
  toTrain(has: string | null): SentModel {
    const { plan } = this.record;
    if (this.#steps !== null || plan.downloadCodec === 'float32') return this.sent(has);
    // Encoded once, when a round begins. The same round rounds alike, whoever asks, and after a restart.
    this.#rounded ??= this.#encode(
      plan.downloadCodec,
      encodeValues(
        plan.downloadCodec,
        this.#model.weights,
        this.#layout,
        seededRandom(plan.seed, 'model', this.#model.round).uint32(),
      ),
    );
    return { frame: this.#rounded };
  }

  /** The exact model, for one who has another, or none (`null`). */
  sent(has: string | null): SentModel {
    const steps = has === null ? null : (this.#steps?.from(has) ?? null);
    return steps === null ? { frame: this.#frame } : { base: has as string, frame: steps };
  }

  /** @param step that led from the model before to this one, as it travels; `null` where models travel whole. */
  moveOn(model: CurrentModel, central: Metrics | null, round: Round, step: Uint8Array | null): void {
    if (step !== null) this.#steps?.add(step, model.hash);
    this.#model = model;
    this.#central = central;
    this.#frame = this.#encode('float32', float32Payload(model.weights));
    this.#rounded = null;
    this.lastRound = round;
  }

  #encode(codec: Codec, payload: Uint8Array): Uint8Array {
    const { layoutHash } = this;
    const parameters = this.#model.weights.length;
    return encodeFrame({ kind: 'weights', codec, layoutHash, parameters, payload }, nativeCrc32);
  }
}
