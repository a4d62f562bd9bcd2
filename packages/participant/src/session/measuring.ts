import type { Clock } from '@coppice/ports';
import { type Ask, type Checksum, CoppiceError } from '@coppice/protocol';
import { deliver } from '../delivery.ts';
import type { Models } from '../models.ts';
import type { OwnData } from '../own-data.ts';
import { answerEvaluate } from '../train.ts';
import type { TrainerHost } from '../trainer-host.ts';
import { decline } from './decline.ts';
import type { Line } from './line.ts';
import type { JoinedRun } from './membership.ts';
import { withMetrics } from './round-ends.ts';
import type { StateStore } from './state-store.ts';

export interface MeasuringOptions {
  readonly line: Line;
  readonly store: StateStore;
  readonly models: Models;
  readonly data: OwnData;
  readonly host: TrainerHost;
  readonly clock: Clock;
  readonly checksum: Checksum;
  readonly splitSecret: Uint8Array;
  /** The share in place of the task's. */
  readonly heldOut: number | undefined;
}

/** Answers questions to evaluate: measures a model on the examples that are held out. */
export class Measuring {
  readonly #o: MeasuringOptions;

  constructor(options: MeasuringOptions) {
    this.#o = options;
  }

  /** Answers a question; all that goes wrong is shown, and told to the coordinator. */
  async answer(ask: Ask, joined: JoinedRun): Promise<void> {
    const { line, store, clock } = this.#o;
    const { run, ticket, round } = ask;
    try {
      const { model } = await this.#o.models.receive(ask, round);
      const data = await this.#o.data.local();
      if (data === null) return;
      const made = await answerEvaluate({
        task: joined.task,
        plan: joined.plan,
        layout: joined.answers.evaluate,
        weights: model.weights,
        data: await data.dataset(),
        secret: this.#o.splitSecret,
        heldOut: this.#o.heldOut ?? joined.task.heldOut,
        host: this.#o.host,
        checksum: this.#o.checksum,
      });
      if (made === null) return await decline(line, ask, 'data-empty');
      if (made.evaluation !== null) {
        const measured = { round, metrics: made.evaluation };
        store.set({ localMetrics: withMetrics(store.state.localMetrics, measured) });
      }
      const message = { run, ticket, ...made.answer };
      // Measures that come too late are no matter to this device.
      await deliver(message, {
        request: line.requestUnrecorded,
        clock,
        onSending: () => line.record('answer', message),
      });
      line.countTraffic();
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      store.fail(error);
      if (error.code !== 'connection-lost') await decline(line, ask, error.toWire().code);
    }
  }
}
