import {
  checkColumnSums,
  columnSumsLayout,
  ExactSum,
  pipelineOf,
  scalingOf,
  selectCohort,
} from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import {
  type AgreedScaling,
  agreedColumns,
  awaitsScaling,
  CoppiceError,
  FEWEST_EXAMPLES_TO_AGREE,
  FEWEST_TO_AGREE,
} from '@coppice/protocol';
import { AnswerForm } from '../exchanges/answer-form.ts';
import { Exchange } from '../exchanges/exchange.ts';
import { ask } from '../exchanges/question.ts';
import { scalingName } from '../exchanges/tickets.ts';
import { failureData, reasonOf } from '../failure.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** The most participants that are asked: more would not make means and deviations better. */
const MOST_ASKED = 1000;

/** Milliseconds after which participants are asked again where they could not agree. */
export const AGREEMENT_PAUSE = 10_000;

/** The participants that a run's next exchange needs: its rounds' number, and enough to agree on a scaling where there is none. */
export function neededNow({ task, plan }: Pick<RunState['record'], 'task' | 'plan'>): number {
  return awaitsScaling(task.data) ? Math.max(FEWEST_TO_AGREE, plan.minParticipants) : plan.minParticipants;
}

/**
 * The exchange before the first round of a task with an agreed scaling: participants are asked for the sums of their
 * columns. Nothing of it is durable but its result. Where the process ends before, participants are asked again.
 */
export class ScalingAgreement {
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #o: Pick<RunOptions, 'audience' | 'clock' | 'spool' | 'agreeScaling' | 'observer'>;
  #attempt = 0;

  constructor(
    state: RunState,
    log: RunLog,
    options: Pick<RunOptions, 'audience' | 'clock' | 'spool' | 'agreeScaling' | 'observer'>,
  ) {
    this.#state = state;
    this.#log = log;
    this.#o = options;
  }

  /** True where enough participants and examples are here. */
  get isPossible(): boolean {
    const { members, record } = this.#state;
    if (members.availableCount < neededNow(record)) return false;
    let examples = 0;
    for (const count of members.available().values()) examples += count;
    return examples >= FEWEST_EXAMPLES_TO_AGREE;
  }

  /**
   * Asks the participants that are here.
   *
   * @param over called once, when the exchange is over and its result is stored, or it failed.
   */
  begin(over: (agreed: boolean) => void): void {
    const { record, members, exchanges, model, secret } = this.#state;
    const { audience, clock, spool, observer } = this.#o;
    const columns = agreedColumns(record.task.data);
    const { maxExamples, deadlineSeconds, graceSeconds } = record.plan;
    const form = new AnswerForm({
      layout: columnSumsLayout(columns, maxExamples),
      codec: 'float32',
      pipeline: pipelineOf(record.plan),
      checkMeasures: checkColumnSums,
    });
    const random = seededRandom(secret, 'scaling', ++this.#attempt);
    const cohort = selectCohort(members.available().keys(), MOST_ASKED, random);
    const beganAt = clock.elapsed();
    const exchange: Exchange = new Exchange({
      owner: record.id,
      name: scalingName(this.#attempt, model.hash),
      title: "the agreement on the task's scaling",
      cohort,
      wanted: { target: cohort.length, quorum: neededNow(record) },
      begin: 'asked',
      bytes: (id) => audience.bytes(id),
      beganAt,
      dueAt: beganAt + deadlineSeconds * 1000,
      grace: graceSeconds * 1000,
      form,
      sum: new ExactSum(form.sections),
      limits: new Map(),
      weightCap: () => 1,
      spool,
      durable: false,
      clock,
      listener: {
        changed: () => observer.runChanged(),
        counted: () => {},
        refused: (participant, error, again) => {
          if (!again) this.#log.about(participant, 'warning', 'update-refused', failureData(reasonOf(error)));
        },
        closed: (how) => {
          void this.#closed(exchange, how.outcome === 'lost' ? how.reason : null).then(over);
        },
      },
    });
    exchanges.scaling = exchange;
    this.#ask(exchange, cohort);
    exchange.open();
  }

  /** Asks a member again that came back without having answered. */
  askAgain(participant: string): void {
    const { scaling } = this.#state.exchanges;
    if (scaling?.cohort.get(participant)?.outcome === 'asked') this.#ask(scaling, [participant]);
  }

  /** Ends the exchange without a result. */
  abandon(): void {
    this.#state.exchanges.scaling?.abandon();
    this.#state.exchanges.scaling = null;
  }

  #ask(exchange: Exchange, to: readonly string[]): void {
    const { audience, clock } = this.#o;
    const { record, tickets } = this.#state;
    ask(
      { run: record.id, kind: 'statistics', round: 0, attempt: this.#attempt, given: {}, parcels: () => [] },
      exchange,
      { audience, tickets, elapsed: clock.elapsed(), to },
    );
  }

  /** Stores what the sums say. @returns whether the participants agreed. */
  async #closed(exchange: Exchange, lost: CoppiceError | null): Promise<boolean> {
    const { exchanges, record } = this.#state;
    try {
      if (lost !== null) throw lost;
      await exchange.drained();
      const agreed = scalingOf(
        agreedColumns(record.task.data),
        exchange.sum.measures.totals(),
        exchange.sum.measures.count,
      );
      ensureEnough(agreed);
      await this.#o.agreeScaling(record.task.id, agreed);
      return true;
    } catch (thrown) {
      this.#log.add('warning', 'scaling-failed', failureData(reasonOf(CoppiceError.from(thrown))));
      return false;
    } finally {
      if (exchanges.scaling === exchange) exchanges.scaling = null;
    }
  }
}

function ensureEnough({ examples }: AgreedScaling): void {
  if (examples >= FEWEST_EXAMPLES_TO_AGREE) return;
  throw new CoppiceError(
    'quorum-lost',
    `The answers are of ${examples} examples, and ${FEWEST_EXAMPLES_TO_AGREE} are needed.`,
  );
}
