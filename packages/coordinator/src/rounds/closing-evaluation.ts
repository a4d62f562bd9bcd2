import { meanMetrics, selectCohort } from '@coppice/federation';
import { type Clock, seededRandom } from '@coppice/ports';
import { ANSWER_TIMEOUT, type Evaluation, type Metrics } from '@coppice/protocol';
import type { Audience } from './audience.ts';
import type { RunState } from './run-state.ts';

/** Nobody trains on the last model of a run, so it is sent out once more to be measured. */
export class ClosingEvaluation {
  readonly #checkpoint: string;
  readonly #asked: ReadonlySet<string>;
  readonly #metrics = new Map<string, Metrics>();
  readonly #stop: () => void;
  #done: ((federated: Metrics | null) => void) | null;

  /** @param done hears the mean of what came in, once: when all have answered or time is up. */
  constructor(
    state: RunState,
    { audience, clock }: { audience: Audience; clock: Clock },
    done: (federated: Metrics | null) => void,
  ) {
    const { record, model, lastRound } = state;
    this.#checkpoint = model.hash;
    this.#done = done;
    const size = Math.max(1, lastRound?.target ?? 1);
    const able = record.plan.evaluationShare === 0 ? [] : state.members.available();
    const asked = selectCohort(able, size, seededRandom(record.plan.seed, 'closing'));
    this.#asked = new Set(asked);
    this.#stop = asked.length === 0 ? () => {} : clock.setTimer(ANSWER_TIMEOUT, () => this.#end());
    if (asked.length === 0) this.#done = null;
    for (const [has, ids] of state.members.byModel(asked, model.hash)) {
      audience.send(ids, 'evaluate', {
        run: record.id,
        round: model.round,
        checkpoint: model.hash,
        ...state.sent(has),
      });
    }
  }

  /** Nobody was here to be asked, or has anything to measure on: nothing will come. */
  get askedNobody(): boolean {
    return this.#asked.size === 0;
  }

  take(participant: string, evaluation: Evaluation): void {
    if (evaluation.checkpoint !== this.#checkpoint || !this.#asked.has(participant)) return;
    this.#metrics.set(participant, evaluation.metrics);
    if (this.#metrics.size === this.#asked.size) this.#end();
  }

  close(): void {
    this.#stop();
    this.#done = null;
  }

  #end(): void {
    const done = this.#done;
    this.close();
    done?.(meanMetrics(this.#metrics.values()));
  }
}
