import { ExactSum, RowsSum, type Sum } from '@coppice/federation';
import {
  type Answer,
  CoppiceError,
  type Event,
  type EventData,
  type EventKind,
  GRACE_AFTER_RESTART,
  type Metrics,
  type Phase,
  type Reason,
  type Round,
} from '@coppice/protocol';
import { type Closed, Exchange } from '../exchanges/exchange.ts';
import { ask, type Question } from '../exchanges/question.ts';
import { trainName } from '../exchanges/tickets.ts';
import { failureData, reasonOf } from '../failure.ts';
import type { RoundOpening, SpooledRound } from '../storage/spool.ts';
import { inTurns } from '../turns.ts';
import { announceEnd, cohortBytes } from './announce.ts';
import { apply, spooledRows } from './apply.ts';
import { commit } from './commit.ts';
import { evaluate } from './evaluate.ts';
import { isOver, nextPhase, nextStatus, type RoundStep } from './machine.ts';
import { nextNormBounds } from './norm-bounds.ts';
import { type Federated, federatedOf, type OpenRound, toRecord, withFederated } from './open-round.ts';
import { openingOf } from './opening.ts';
import { type GivenParcel, type PackedModels, packGiven, packModels } from './packed-model.ts';
import { Retries } from './retries.ts';
import { roundStep, type SteppedModel } from './round-step.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** The meaning of a round's events for its run. */
export interface RoundLoopListener {
  changed(): void;
  log<K extends EventKind>(level: Event['level'], kind: K, data: EventData[K], round?: number): void;
  /** An answer counts. */
  counted(participant: string, answer: Answer): void;
  /** An answer of a member that owed one was refused, the first time in this attempt or `again`. */
  refused(participant: string, error: CoppiceError, again: boolean): void;
  /** The last round was committed. */
  finished(): void;
  /** More attempts would not help. Resolves when the run is paused. @throws CoppiceError where that could not be stored. */
  gaveUp(reason: Reason): Promise<void>;
}

/**
 * The rounds of one run, one at a time: from selection to commit or abandonment. A round is one exchange and the steps
 * after it, each in the file named after it. Moves on calls from its run and on the clock's timers.
 */
export class RoundLoop {
  readonly #o: RunOptions;
  readonly #state: RunState;
  readonly #listener: RoundLoopListener;
  readonly #retries: Retries;
  #phase: Phase = 'idle';
  #phaseSince: number;
  #open: OpenRound | null = null;
  #retry: (() => void) | null = null;
  /** Whether a round is being stored, or what follows it is not yet done. */
  #committing = false;
  #closed = false;

  constructor(options: RunOptions, state: RunState, listener: RoundLoopListener) {
    this.#o = options;
    this.#state = state;
    this.#listener = listener;
    this.#retries = new Retries(options.attempt, options.retryPauses);
    this.#phaseSince = options.clock.elapsed();
  }

  get phase(): Phase {
    return this.#phase;
  }

  get open(): OpenRound | null {
    return this.#open;
  }

  /** No round is open, and all that followed the last one is done. */
  get isAtRest(): boolean {
    return this.#open === null && !this.#committing;
  }

  /** The exchange of the open round, also when it is closed and its model is being made; `null` between rounds. */
  get exchange(): Exchange | null {
    return this.#open?.exchange ?? null;
  }

  /** The open round as it stands; `null` between rounds. */
  record(): Round | null {
    const open = this.#open;
    if (open === null) return null;
    return toRecord(open, {
      outcome: 'open',
      reason: null,
      ended: null,
      central: null,
      checkpoint: null,
      bytes: cohortBytes(open.exchange, this.#o.audience),
    });
  }

  // ---- going on

  /** Begins a round where one is wanted and possible, and no change of the run's status is under way. */
  consider(): void {
    const { record, members, model, lane, secret, attendance, forms, lastRound } = this.#state;
    if (this.#closed || lane.changing) return;
    if (record.status !== 'running') {
      if (this.#phase === 'waiting') this.#step('halted');
      return;
    }
    if (this.#phase === 'idle' && this.#retry === null) this.#step('begin');
    if (this.#phase !== 'waiting') return;
    if (members.availableCount < record.plan.minParticipants) return;
    this.#step('enough');
    const opening = openingOf({
      run: record.id,
      round: model.round + 1,
      attempt: this.#retries.attempt,
      plan: record.plan,
      secret,
      parent: model.hash,
      available: members.available(),
      standing: (id) => attendance.standing(id, model.round + 1),
      joined: members.joinedCount,
      normBounds: nextNormBounds(record.plan, forms.train.sections, lastRound),
      now: this.#now(),
    });
    // Appends go after it in the same file, so it is on disk before any answer is acknowledged.
    this.#o.spool.open(opening);
    const beganAt = this.#elapsed();
    const dueAt = beganAt + record.plan.deadlineSeconds * 1000;
    const grace = record.plan.graceSeconds * 1000;
    const open = this.#begin(opening, { begin: 'asked', beganAt, dueAt, grace });
    const { sizes } = opening;
    for (const id of opening.cohort) {
      const member = members.get(id);
      if (member !== undefined) member.progress = 0;
    }
    this.#step('selected');
    this.#ask(open);
    this.#step('distributed');
    this.#listener.log('info', 'round-started', { asked: opening.cohort.length, target: sizes.target });
    this.#listener.changed();
    // A cohort member may have gone while it was being asked.
    open.exchange.open();
  }

  /**
   * Goes on with the round that an earlier process left open: answers that it acknowledged are counted again from disk,
   * members that had not answered get a while to come back. A round of another model is forgotten.
   */
  async recover(): Promise<void> {
    const { record, model } = this.#state;
    const spooled = await this.#o.spool.recover(record.id).catch((thrown: unknown) => {
      const error = CoppiceError.from(thrown);
      if (error.code !== 'storage-corrupt') throw error;
      this.#listener.log('error', 'spool-damaged', failureData(reasonOf(error)));
      return null;
    });
    if (spooled === null) return;
    const { opening } = spooled;
    if (opening.round !== model.round + 1 || opening.parent !== model.hash || isOver(record.status)) {
      await this.#o.spool.drop(record.id);
      return;
    }
    // Only the date is the same in both processes, and it may have been set in between.
    const whole = record.plan.deadlineSeconds * 1000;
    const lasted = Math.min(whole, Math.max(0, this.#now() - opening.startedAt));
    const patience = Math.max(GRACE_AFTER_RESTART, record.plan.graceSeconds * 1000);
    const open = this.#begin(opening, {
      begin: 'away',
      beganAt: this.#elapsed() - lasted,
      dueAt: this.#elapsed() + Math.max(whole - lasted, patience),
      grace: patience,
    });
    this.#step('recovered');
    await this.#recount(open, spooled);
    this.#listener.log('info', 'round-recovered', {
      accepted: open.exchange.cohort.accepted,
      target: opening.sizes.target,
    });
    open.exchange.open();
  }

  async #recount({ opening, exchange }: OpenRound, spooled: SpooledRound): Promise<void> {
    if (spooled.damage !== null)
      this.#listener.log('error', 'spool-damaged', failureData(reasonOf(spooled.damage)));
    for await (const { participant, answer } of spooled.answers()) {
      try {
        await exchange.restore(participant, answer);
      } catch (thrown) {
        // Its sender is asked again when it comes back.
        const reason = reasonOf(CoppiceError.from(thrown));
        this.#listener.log('error', 'spool-damaged', failureData(reason), opening.round);
      }
    }
  }

  #begin(
    opening: RoundOpening,
    times: { begin: 'asked' | 'away'; beganAt: number; dueAt: number; grace: number },
  ): OpenRound {
    const { forms, record } = this.#state;
    const caps = new Map(
      opening.cohort.map((id, i) => [id, opening.weightCaps[i] ?? record.plan.maxExamples]),
    );
    const exchange: Exchange = new Exchange({
      run: opening.run,
      name: trainName(opening.round, opening.attempt),
      title: `round ${opening.round}`,
      cohort: opening.cohort,
      wanted: { ...opening.sizes, beyond: opening.beyond, owed: opening.owed },
      ...times,
      bytes: (id) => this.#o.audience.bytes(id),
      form: forms.train,
      sum: this.#newSum(),
      limits: forms.limits(opening.normBounds),
      weightCap: (id) => caps.get(id) ?? record.plan.maxExamples,
      spool: this.#o.spool,
      durable: true,
      clock: this.#o.clock,
      listener: {
        changed: () => this.#listener.changed(),
        counted: (participant, answer) => this.#listener.counted(participant, answer),
        refused: (participant, error, again) => this.#listener.refused(participant, error, again),
        closed: (how) => this.#collected(open, how),
      },
    });
    const open: OpenRound = { opening, exchange, normsBefore: this.#state.lastRound?.norms, phases: {} };
    this.#open = open;
    return open;
  }

  #newSum(): Sum {
    const { strategy, train } = this.#state.forms;
    return strategy.needs === 'rows' ? new RowsSum(train.sections) : new ExactSum(train.sections);
  }

  /** Ends the open round with the answers that have come. @throws CoppiceError `run-state` */
  endNow(): void {
    if (this.#phase !== 'collect' || this.#open === null) {
      throw new CoppiceError('run-state', 'No round is being collected, so there is none to end.');
    }
    this.#listener.log('info', 'round-ended-by-admin', {});
    this.#open.exchange.endNow();
  }

  /** Earlier rounds that came to nothing do not count any more, and the next one need not wait. */
  resumed(): void {
    this.#retries.resumed();
    this.#retry?.();
    this.#retry = null;
  }

  /** Gives up the open round, and begins no other. Called in the record's lane: not while a round is being stored. */
  halt(): void {
    this.#retry?.();
    this.#retry = null;
    if (this.#open !== null) {
      this.#abandon(this.#open, new CoppiceError('run-ended', 'The run was stopped by the admin.'));
    } else if (this.#phase === 'waiting') this.#step('halted');
  }

  /** Stops timers. Spooled answers stay, for the process after this one. */
  close(): void {
    this.#closed = true;
    this.#retry?.();
    this.#open?.exchange.abandon();
    this.#open = null;
  }

  /** Sends the open round's question again to a cohort member that came back without having answered. */
  askAgain(participant: string): void {
    const open = this.#open;
    if (open === null || this.#phase !== 'collect') return;
    if (open.exchange.cohort.get(participant)?.outcome === 'asked') this.#ask(open, [participant]);
  }

  #ask({ opening, exchange }: OpenRound, to: readonly string[] = opening.cohort): void {
    const question: Question = {
      run: opening.run,
      kind: 'train',
      round: opening.round,
      attempt: opening.attempt,
      given: opening.normBounds === null ? {} : { normBounds: opening.normBounds },
      parcels: (participant) => this.#state.trainParcels(participant),
    };
    ask(question, exchange, {
      audience: this.#o.audience,
      tickets: this.#state.tickets,
      elapsed: this.#elapsed(),
      to,
    });
  }

  // ---- the steps after the exchange

  #collected(open: OpenRound, how: Closed): void {
    if (this.#open !== open) return;
    if (how.outcome === 'lost') {
      this.#abandon(open, how.reason);
      return;
    }
    this.#step('collected');
    // Rejections end up in #abandon: a round always ends.
    void this.#finish(open);
  }

  async #finish(open: OpenRound): Promise<void> {
    const state = this.#state;
    const { opening, exchange } = open;
    try {
      await exchange.drained();
      if (this.#open !== open) return;
      const next = await this.#next(open);
      if (this.#open !== open) return;
      exchange.sum.release();
      this.#step('aggregated');
      const { task, plan } = state.record;
      const central = await evaluate(this.#o.models, task, next.weights);
      if (this.#open !== open) return;
      this.#step('evaluated');
      const { layoutHash, forms } = state;
      const made = { weights: next.weights, round: opening.round };
      const packed = await inTurns(packModels(made, { plan, layout: this.#o.layout, layoutHash }));
      const given = await inTurns(packGiven(forms.strategy.server.given?.(next.state) ?? {}, this.#o.layout));
      if (this.#open !== open) return;
      const last = opening.round >= plan.rounds || reached(plan.targetAccuracy, central);
      const { lastRound, central: parentCentral } = state;
      const committed = await state.lane.commit(() =>
        this.#commit(open, next, { central, packed, given, last }),
      );
      if (!committed) return;
      await this.addFederated(lastRound, opening.round - 1, federatedOf(exchange), parentCentral).catch(
        (thrown: unknown) => this.#logFailure(thrown),
      );
      if (this.#closed) return;
      if (last) this.#listener.finished();
    } catch (thrown) {
      if (this.#open === open) this.#abandon(open, CoppiceError.from(thrown));
      return;
    } finally {
      this.#committing = false;
    }
    this.#listener.changed();
    this.consider();
  }

  /** The model that the round's answers make. */
  async #next({ opening, exchange }: OpenRound): Promise<SteppedModel> {
    const { model, record, forms } = this.#state;
    const { plan } = record;
    const { layout, spool } = this.#o;
    const { strategy, train } = forms;
    const applied = await apply(
      { number: opening.round, joined: opening.joined },
      { strategy, state: model.state, model: { layout, weights: model.weights }, sections: train.sections },
      exchange,
      () =>
        spooledRows(exchange, { run: record.id, codec: plan.uploadCodec, sections: train.sections, spool }),
    );
    return roundStep(applied, { before: model.weights, layout, plan, round: opening.round });
  }

  /** Makes a round's model durable, then the current one. @returns false where the round was given up before. */
  async #commit(
    open: OpenRound,
    next: SteppedModel,
    {
      central,
      packed,
      given,
      last,
    }: { central: Metrics | null; packed: PackedModels; given: readonly GivenParcel[]; last: boolean },
  ): Promise<boolean> {
    if (this.#open !== open) return false;
    this.#committing = true;
    const state = this.#state;
    const { record } = state;
    const ended = last
      ? { ...record, status: nextStatus(record.status, 'finish'), reason: null, endedAt: this.#now() }
      : null;
    const round = await commit(this.#o.storage, open, next, {
      run: ended,
      task: record.task.id,
      central,
      bytes: cohortBytes(open.exchange, this.#o.audience),
      now: this.#now(),
      ended: this.#elapsed(),
    });
    // Closed meanwhile: the process after this one finds the model in storage.
    if (this.#open !== open) return false;
    this.#forget();
    if (ended !== null) state.record = ended;
    const { hash, weights, state: memory, step } = next;
    const model = { round: open.opening.round, hash, weights, state: memory };
    state.moveOn(model, central, round, { packed, given, step });
    this.#retries.committed();
    this.#end(open, 'committed', null);
    this.#o.observer.roundChanged(round);
    this.#listener.log('info', 'round-committed', {
      accepted: round.accepted,
      asked: round.asked,
      bytes: round.bytesUp + round.bytesDown,
      accuracy: round.central?.accuracy ?? null,
    });
    const { capped = 0, scaled = 0 } = round;
    if (capped + scaled > 0)
      this.#listener.log('info', 'updates-shortened', { accepted: round.accepted, capped, scaled });
    if (next.variancesKept > 0)
      this.#listener.log('warning', 'variances-kept', { variances: next.variancesKept });
    return true;
  }

  #abandon(open: OpenRound, error: CoppiceError): void {
    const { opening, exchange } = open;
    exchange.abandon();
    exchange.cohort.settle();
    const reason = reasonOf(error);
    const round = toRecord(open, {
      outcome: 'abandoned',
      reason,
      ended: this.#elapsed(),
      central: null,
      checkpoint: null,
      bytes: cohortBytes(exchange, this.#o.audience),
    });
    if (error.code === 'quorum-lost')
      for (const [id, { outcome, diverged }] of exchange.cohort.entries())
        if (outcome === 'declined' && !diverged) this.#state.attendance.declined(id);
    this.#end(open, 'abandoned', reason);
    this.#o.observer.roundChanged(round);
    this.#listener.log('warning', 'round-abandoned', failureData(reason), opening.round);
    this.#o.storage.putRound(round).catch((thrown: unknown) => this.#logFailure(thrown));
    this.#forget();
    const { wait, giveUp } = this.#retries.abandoned(opening.attempt, error.code);
    if (!isOver(this.#state.record.status)) {
      this.#retry = this.#o.clock.setTimer(wait, () => {
        this.#retry = null;
        this.consider();
      });
      // Where the pause cannot be stored, the rounds are tried again, and so is the pause.
      if (giveUp) this.#listener.gaveUp(reason).catch((thrown: unknown) => this.#logFailure(thrown));
    }
    this.#listener.changed();
  }

  #end(open: OpenRound, outcome: 'committed' | 'abandoned', reason: Reason | null): void {
    announceEnd(open, this.#state, this.#o.audience, { outcome, reason });
    this.#open = null;
    this.#step(outcome);
  }

  /** The measurements of a model come with the answers of the round after it. */
  async addFederated(
    before: Round | null,
    round: number,
    federated: Federated | null,
    central: Metrics | null,
  ): Promise<void> {
    if (federated === null) return;
    if (federated.mean.loss === null && federated.mean.examples > 0)
      this.#listener.log('warning', 'federated-loss-null', { examples: federated.mean.examples }, round);
    await this.#o.storage.putMetrics({
      run: this.#state.record.id,
      round,
      central,
      federated: federated.mean,
    });
    if (before === null) return;
    const amended = withFederated(before, federated);
    await this.#o.storage.putRound(amended);
    this.#o.observer.roundChanged(amended);
  }

  /** A round that is left in the spool is recognised as over at the next start. */
  #forget(): void {
    this.#o.spool.drop(this.#state.record.id).catch((thrown: unknown) => this.#logFailure(thrown));
  }

  #step(step: RoundStep): void {
    const now = this.#elapsed();
    if (this.#open !== null)
      this.#open.phases[this.#phase] = (this.#open.phases[this.#phase] ?? 0) + now - this.#phaseSince;
    this.#phase = nextPhase(this.#phase, step);
    this.#phaseSince = now;
    this.#o.observer.runChanged();
    const open = this.record();
    if (open !== null) this.#o.observer.roundChanged(open);
  }

  #logFailure(thrown: unknown): void {
    const reason = reasonOf(CoppiceError.from(thrown, 'storage-failed'));
    this.#listener.log('error', 'storage-failed', failureData(reason));
  }

  #now(): number {
    return this.#o.clock.now();
  }

  #elapsed(): number {
    return this.#o.clock.elapsed();
  }
}

function reached(target: number | null, central: Metrics | null): boolean {
  return target !== null && central?.accuracy != null && central.accuracy >= target;
}
