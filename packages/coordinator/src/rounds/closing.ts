import { announceRunEnd } from './announce.ts';
import { closingEvaluation } from './closing-evaluation.ts';
import { measuredOf, type ToldMeasured, tellMeasured } from './measured.ts';
import { withFederated } from './open-round.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** The end of a run whose last round is committed: its model is measured once more, and everyone is told. */
export class Closing {
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #o: RunOptions;

  constructor(state: RunState, log: RunLog, options: RunOptions) {
    this.#state = state;
    this.#log = log;
    this.#o = options;
  }

  begin(): void {
    const { exchanges, model, lastRound, central } = this.#state;
    const { audience, observer } = this.#o;
    this.#log.add('info', 'run-finished', { rounds: model.round });
    exchanges.closing = closingEvaluation(this.#state, this.#o, (federated) => {
      if (lastRound !== null && federated !== null)
        this.#state.lastRound = withFederated(lastRound, federated);
      const measured = measuredOf(
        this.#o.record.id,
        { made: lastRound, round: model.round, central },
        federated,
      );
      this.#store(measured)
        .catch((thrown: unknown) => this.#log.notStored(thrown))
        .finally(() => {
          exchanges.closing = null;
          announceRunEnd(this.#state, audience);
          observer.runChanged();
        });
    });
    if (exchanges.closing === null) announceRunEnd(this.#state, audience);
  }

  async #store(measured: ToldMeasured | null): Promise<void> {
    if (measured === null) return;
    await this.#o.storage.putMetrics(measured);
    tellMeasured(measured, this.#log, this.#o.observer);
  }
}
