import type { Clock } from '@coppice/ports';
import {
  type Ask,
  type Checksum,
  CoppiceError,
  frameBytes,
  movesBySteps,
  type RoundEnd,
} from '@coppice/protocol';
import type { Contributions, Made, Question } from '../contributions.ts';
import { coordinatorTime } from '../coordinator-time.ts';
import { deliver, pause } from '../delivery.ts';
import type { Models } from '../models.ts';
import type { OwnData } from '../own-data.ts';
import { answerTrain } from '../train.ts';
import type { TrainerHost } from '../trainer-host.ts';
import type { CurrentWork } from './current-work.ts';
import { decline } from './decline.ts';
import type { KeptModels } from './kept-models.ts';
import type { Line } from './line.ts';
import type { JoinedRun, Membership } from './membership.ts';
import type { Progress, QuestionProgress } from './progress.ts';
import { afterRound, withMetrics } from './round-ends.ts';
import type { StateStore } from './state-store.ts';

export interface TrainingOptions {
  readonly line: Line;
  readonly store: StateStore;
  readonly membership: Membership;
  readonly work: CurrentWork;
  readonly models: Models;
  readonly kept: KeptModels;
  readonly contributions: Contributions;
  readonly data: OwnData;
  readonly progress: Progress;
  readonly host: TrainerHost;
  readonly clock: Clock;
  readonly checksum: Checksum;
  readonly splitSecret: Uint8Array;
  /** The share in place of the task's. */
  readonly heldOut: number | undefined;
  /** Decides whether to drop out of an attempt of a round. Both count from 1. */
  readonly dropsOut: (round: number, attempt: number) => boolean;
}

/** Answers questions to train: fetches, trains, stages and delivers, or declines. */
export class Training {
  readonly #o: TrainingOptions;
  /** The attempt that this device could not take part in. */
  #failedAt: Pick<Ask, 'run' | 'round' | 'attempt'> | null = null;

  constructor(options: TrainingOptions) {
    this.#o = options;
  }

  /** Answers a question; all that goes wrong is shown, and told to the coordinator. */
  async answer(ask: Ask, joined: JoinedRun): Promise<void> {
    const { store, work, membership, dropsOut } = this.#o;
    if (work.ask?.ticket === ask.ticket) return;
    work.stop();
    const { round, attempt } = ask;
    if (store.state.paused || dropsOut(round, attempt))
      return decline(this.#o.line, ask, store.state.paused ? 'paused' : 'dropout');
    const signal = work.begin(ask);
    try {
      store.set({ activity: { kind: 'preparing', round }, error: null });
      await this.#answer(ask, joined, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const code = thrown instanceof CoppiceError ? thrown.code : null;
      // After the next join the coordinator asks again; or the round is over, and its end is being told.
      if (code === 'connection-lost') return;
      if (code === 'checkpoint-unknown') membership.rest();
      else if (code === 'data-empty') {
        // No fault: examples of the plan's window may come.
        membership.rest();
        await decline(this.#o.line, ask, code);
      } else await this.#failed(ask, thrown);
    } finally {
      work.end(signal);
    }
  }

  /** Stops the work, and says so. */
  async pause(): Promise<void> {
    const { line, store, work, membership } = this.#o;
    const { ask } = work;
    work.stop();
    if (ask !== null && membership.joined !== null && store.isOnline) await decline(line, ask, 'paused');
  }

  /** Takes the end of a round of the run that was joined. */
  roundEnded(end: RoundEnd): void {
    const { store, work, membership, contributions, kept } = this.#o;
    if (work.ask?.round === end.round && work.ask.attempt === end.attempt) work.stop();
    contributions.roundEnded(end).catch((thrown: unknown) => store.fail(thrown));
    const failed = this.#failedAt;
    const ownFault = failed?.run === end.run && failed.round === end.round && failed.attempt === end.attempt;
    store.set(afterRound(store.state, end, ownFault));
    membership.rest();
    // The last model comes with no further question, so it is fetched for use.
    if (end.outcome === 'committed') kept.renew(end.run);
  }

  async #answer(ask: Ask, joined: JoinedRun, signal: AbortSignal): Promise<void> {
    const { contributions } = this.#o;
    const { run, ticket, round, attempt } = ask;
    const progress = this.#o.progress.of(ask, signal);
    const question = { run, ticket, round, attempt, model: ask.parcels[0]?.hash ?? '' };
    const made =
      (await contributions.made(question)) ?? (await this.#make(ask, joined, { signal, progress }));
    if (made === null || signal.aborted) return;
    // Kept before it is sent: once it is, it may count.
    await contributions.stage(question, made);
    if (signal.aborted) return;
    await this.#deliver(question, made, { signal, progress });
  }

  /** An answer, from parcels and training; `null` where the work was stopped. */
  async #make(
    ask: Ask,
    joined: JoinedRun,
    { signal, progress }: { signal: AbortSignal; progress: QuestionProgress },
  ): Promise<Made | null> {
    const { store, models, contributions, clock } = this.#o;
    const { run, round } = ask;
    const { model, given } = await models.receive(ask, round - 1, { signal, onPiece: progress.receiving });
    if (signal.aborted) return null;
    progress.preparing();
    // Rounded for training, it is not the model that is named: that one is fetched when the round has ended.
    if (movesBySteps(joined.plan) || joined.plan.downloadCodec === 'float32') this.#o.kept.keep(model);
    // The end of the round before may not have been heard.
    await contributions.settle(run, 'staged', (milliseconds) => pause(clock, milliseconds, signal));
    const kept = await contributions.current(run);
    const data = await this.#o.data.local();
    if (signal.aborted || data === null) return null;
    const result = await answerTrain({
      task: joined.task,
      plan: joined.plan,
      layout: joined.answers.train,
      participant: store.state.participant as string,
      ask,
      weights: model.weights,
      given,
      kept,
      data: await data.dataset(),
      secret: this.#o.splitSecret,
      heldOut: this.#o.heldOut ?? joined.task.heldOut,
      now: coordinatorTime(store.state, clock) ?? clock.now(),
      host: this.#o.host,
      checksum: this.#o.checksum,
      elapsed: () => clock.elapsed(),
      signal,
      onEvaluating: progress.evaluating,
      onTraining: progress.training,
    });
    store.set({ speed: result.speed });
    if (result.evaluation !== null) {
      const measured = { round: round - 1, metrics: result.evaluation };
      store.set({ localMetrics: withMetrics(store.state.localMetrics, measured) });
    }
    return { answer: { ...result.answer, norm: result.norm }, kept: result.kept };
  }

  async #deliver(
    question: Question,
    { answer }: Made,
    { signal, progress }: { signal: AbortSignal; progress: QuestionProgress },
  ): Promise<void> {
    const { line, clock } = this.#o;
    const { run, ticket } = question;
    const { norm, ...content } = answer;
    const bytes = frameBytes(answer.frame).byteLength;
    const message = { run, ticket, ...content };
    progress.sendingBegan(bytes);
    const refused = await deliver(message, {
      request: line.requestUnrecorded,
      clock,
      signal,
      onSending: () => line.record('answer', message, norm),
      onPiece: (done, of) => progress.sending(done, of, bytes),
    });
    line.countTraffic();
    if (signal.aborted) return;
    if (refused === null) progress.delivered();
    else await this.#refused(question, refused, signal);
  }

  /** @throws CoppiceError the refusal, where the same answer would be refused again. */
  async #refused(question: Question, refused: CoppiceError, signal: AbortSignal): Promise<void> {
    const { store, work, membership, contributions, kept } = this.#o;
    if (refused.retry === 'join') {
      // The coordinator asks again after the join, and the answer that is already made goes out then.
      work.end(signal);
      await membership.joinAgain();
    } else if (refused.retry === 'with-current-model') {
      membership.rest();
      store.fail(refused);
      kept.renew(question.run);
    } else {
      // The next attempt trains anew.
      await contributions.refused(question);
      throw refused;
    }
  }

  async #failed(ask: Ask, thrown: unknown): Promise<void> {
    const { store, membership } = this.#o;
    const error = CoppiceError.from(thrown);
    membership.rest();
    store.fail(error);
    const { run, round, attempt } = ask;
    this.#failedAt = { run, round, attempt };
    await decline(this.#o.line, ask, error.toWire().code);
  }
}
