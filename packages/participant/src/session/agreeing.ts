import { columnSums, encodeMeasures } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  type Ask,
  agreedColumns,
  type Checksum,
  CoppiceError,
  contributionHash,
  contributionSize,
  encodeFrame,
} from '@coppice/protocol';
import { deliver } from '../delivery.ts';
import { holdOut } from '../holdout.ts';
import type { OwnExamples } from '../local-data.ts';
import type { OwnData } from '../own-data.ts';
import { decline } from './decline.ts';
import type { Line } from './line.ts';
import type { JoinedRun } from './membership.ts';
import type { StateStore } from './state-store.ts';

export interface AgreeingOptions {
  readonly line: Line;
  readonly store: StateStore;
  readonly data: OwnData;
  readonly clock: Clock;
  readonly checksum: Checksum;
  readonly splitSecret: Uint8Array;
  /** The share in place of the task's. */
  readonly heldOut: number | undefined;
}

/** Answers the question before the first round of a task with an agreed scaling: with the sums of this device's columns. */
export class Agreeing {
  readonly #o: AgreeingOptions;

  constructor(options: AgreeingOptions) {
    this.#o = options;
  }

  /** Answers a question; all that goes wrong is shown, and told to the coordinator. */
  async answer(ask: Ask, { task, plan, answers }: JoinedRun): Promise<void> {
    const { line, store, clock, checksum, splitSecret } = this.#o;
    const layout = answers.statistics;
    if (store.state.paused) return decline(line, ask, 'paused');
    if (layout === undefined) return decline(line, ask, 'backend-unavailable');
    try {
      const data = await this.#o.data.local();
      if (data === null) return await decline(line, ask, 'data-empty');
      const shares = { task: this.#o.heldOut ?? task.heldOut, plan: plan.evaluationShare };
      const examples = await data.examples();
      const rows = trainingRows(examples, splitSecret, shares);
      if (rows.length === 0) return await decline(line, ask, 'data-empty');
      const sums = columnSums(agreedColumns(task.data), { ...examples, rows }, plan.maxExamples);
      const payload = encodeMeasures(layout, sums);
      const frame = encodeFrame(
        {
          kind: 'contribution',
          codec: 'float32',
          layoutHash: contributionHash(layout),
          parameters: contributionSize(layout),
          payload: new Uint8Array(payload.buffer),
        },
        checksum,
      );
      const message = { run: ask.run, ticket: ask.ticket, weight: 1, milliseconds: 0, frame };
      // Sums that come too late are no matter to this device: the others agreed.
      await deliver(message, {
        request: line.requestUnrecorded,
        clock,
        onSending: () => line.record('answer', message, undefined, 'statistics'),
      });
      line.countTraffic();
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      store.fail(error);
      if (error.code !== 'connection-lost') await decline(line, ask, error.toWire().code);
    }
  }
}

/** The rows of the examples that a run trains on: those held out have no part in the scaling. */
function trainingRows(
  { count, ids, times }: OwnExamples,
  secret: Uint8Array,
  shares: Parameters<typeof holdOut>[2],
): ArrayLike<number> {
  const rows = Float32Array.from({ length: count }, (_, row) => row);
  return holdOut({ count, xs: rows, ys: rows, ids, times }, secret, shares).training.ys;
}
