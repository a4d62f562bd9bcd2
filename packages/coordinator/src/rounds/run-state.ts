import { finish, type StrategyState } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import { type Event, type Layout, layoutHash, type Metrics, type Round } from '@coppice/protocol';
import type { Evaluator } from '../evaluation/evaluator.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import type { Audience } from './audience.ts';
import { Members } from './members.ts';
import { weightsFrame } from './weights-frame.ts';

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

  constructor({ record, layout, model, central, lastRound }: RunOptions) {
    this.layoutHash = layoutHash(layout);
    this.record = record;
    this.lastRound = lastRound;
    this.#model = model;
    this.#central = central;
    this.#frame = finish(weightsFrame(model.weights, this.layoutHash));
  }

  get model(): CurrentModel {
    return this.#model;
  }

  /** The model on the coordinator's held-out data. */
  get central(): Metrics | null {
    return this.#central;
  }

  /** The model as it travels, encoded once. */
  get frame(): Uint8Array {
    return this.#frame;
  }

  /** @param made the round that made it, and what came with it. */
  moveOn(model: CurrentModel, made: { frame: Uint8Array; central: Metrics | null; round: Round }): void {
    this.#model = model;
    this.#central = made.central;
    this.#frame = made.frame;
    this.lastRound = made.round;
  }
}
