import { meanMetrics, type Pipeline, pipelineOf, STEP_PARAMETERS, strategyOf } from '@coppice/federation';
import {
  CoppiceError,
  type Event,
  frameBytes,
  GRACE_AFTER_RESTART,
  type Metrics,
  type Phase,
  type Plan,
  type Round,
  type Update,
  type WireError,
} from '@coppice/protocol';
import type { SpooledRound } from '../storage/spool.ts';
import { inTurns } from '../turns.ts';
import { accumulate, accumulateInSteps } from './accumulate.ts';
import { announceEnd, cohortBytes, settle } from './announce.ts';
import { apply } from './apply.ts';
import { collected, lostBecause } from './collect.ts';
import { commit } from './commit.ts';
import { distribute } from './distribute.ts';
import { evaluate } from './evaluate.ts';
import { Grace } from './grace.ts';
import { isOver, nextPhase, nextStatus, type RoundStep } from './machine.ts';
import { type OpenRound, openRound, toRecord } from './open-round.ts';
import { type PackedModels, packModels } from './packed-model.ts';
import { Retries } from './retries.ts';
import { roundStep, type SteppedModel } from './round-step.ts';
import type { RunOptions, RunState } from './run-state.ts';
import { select } from './select.ts';
import { committedSentence } from './sentences.ts';
import { Transfers } from './transfers.ts';
import {
  checkWanted,
  ensureOpen,
  type UpdateRules,
  validate,
  validateHeader,
  validateInSteps,
} from './validate.ts';

/** What a round's end means for its run. */
export interface RoundLoopListener {
  changed(): void;
  log(level: Event['level'], kind: string, message: string, round?: number): void;
  /** The last round was committed. */
  finished(): void;
  /** More attempts would not help. Resolves when the run is paused. @throws CoppiceError where that could not be stored. */
  gaveUp(reason: WireError): Promise<void>;
}

/**
 * The rounds of one run, one at a time: from selection to commit or abandonment. Moves on calls from its
 * run and on the clock's timers; the steps of a round are in the files named after them.
 */
export class RoundLoop {
  readonly #o: RunOptions;
  readonly #state: RunState;
  readonly #listener: RoundLoopListener;
  readonly #pipeline: Pipeline;
  /** Large updates on their way here. */
  readonly transfers: Transfers;
  readonly #grace: Grace;
  readonly #retries: Retries;
  #phase: Phase = 'idle';
  #phaseSince: number;
  #open: OpenRound | null = null;
  #deadline: () => void = () => {};
  #retry: (() => void) | null = null;
  #closed = false;

  constructor(options: RunOptions, state: RunState, listener: RoundLoopListener) {
    this.#o = options;
    this.#state = state;
    this.#listener = listener;
    this.#pipeline = pipelineOf(options.record.plan);
    this.transfers = new Transfers(options.spool);
    this.#grace = new Grace(options.clock);
    this.#retries = new Retries(options.attempt, options.retryPauses);
    this.#phaseSince = options.clock.elapsed();
  }

  get phase(): Phase {
    return this.#phase;
  }

  get open(): OpenRound | null {
    return this.#open;
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
      trainingLoss: meanMetrics(open.losses)?.loss ?? null,
      bytes: cohortBytes(open, this.#o.audience),
    });
  }

  // ---- going on

  /** Begins a round where one is wanted and possible, and no change of the run's status is under way. */
  consider(): void {
    const { record, members, model, lane } = this.#state;
    if (this.#closed || lane.changing) return;
    if (record.status !== 'running') {
      if (this.#phase === 'waiting') this.#step('halted');
      return;
    }
    if (this.#phase === 'idle' && this.#retry === null) this.#step('begin');
    if (this.#phase !== 'waiting') return;
    if (members.availableCount < record.plan.minParticipants) return;
    const available = members.available();
    this.#step('enough');
    const opening = select({
      run: record.id,
      round: model.round + 1,
      attempt: this.#retries.attempt,
      plan: record.plan,
      parent: model.hash,
      available,
      now: this.#now(),
    });
    // Appends go after it in the same file, so it is on disk before any update is acknowledged.
    this.#o.spool.open(opening);
    const beganAt = this.#elapsed();
    const open = openRound(opening, model.weights.length, {
      outcome: 'asked',
      bytes: (id) => this.#o.audience.bytes(id),
      beganAt,
      dueAt: beganAt + record.plan.deadlineSeconds * 1000,
    });
    this.#open = open;
    for (const id of open.cohort.keys()) {
      const member = members.get(id);
      if (member !== undefined) member.progress = 0;
    }
    this.#step('selected');
    distribute(open, this.#state, { audience: this.#o.audience, elapsed: this.#elapsed() });
    this.#step('distributed');
    this.#awaitDeadline(open.dueAt);
    this.#listener.log(
      'info',
      'round-started',
      `Round ${open.round} began: ${open.cohort.size} asked, ${open.sizes.target} wanted.`,
    );
    this.#listener.changed();
    // A cohort member may have gone while it was being asked.
    this.#collect(false);
  }

  /**
   * Goes on with the round that an earlier process left open: what it acknowledged is counted again from
   * disk, who had not delivered gets a while to come back. A round of another model is forgotten.
   */
  async recover(): Promise<void> {
    const { record, model } = this.#state;
    const spooled = await this.#o.spool.recover(record.id).catch((thrown: unknown) => {
      const error = CoppiceError.from(thrown);
      if (error.code !== 'storage-corrupt') throw error;
      this.#listener.log('error', 'spool-damaged', error.message);
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
    const open = openRound(opening, model.weights.length, {
      outcome: 'away',
      bytes: (id) => this.#o.audience.bytes(id),
      beganAt: this.#elapsed() - lasted,
      dueAt: this.#elapsed() + Math.max(whole - lasted, patience),
    });
    this.#open = open;
    this.#step('recovered');
    await this.#recount(open, spooled);
    this.#listener.log(
      'info',
      'round-recovered',
      `Round ${open.round} goes on after a restart: ${open.counted.updates} of ${open.sizes.target} wanted updates were already here.`,
    );
    for (const [id, { outcome }] of open.cohort) {
      if (outcome === 'away') this.#grace.begin(id, patience, () => this.out(id, 'left'));
    }
    this.#awaitDeadline(open.dueAt);
    this.#collect(false);
  }

  async #recount(open: OpenRound, spooled: SpooledRound): Promise<void> {
    if (spooled.damage !== null) this.#listener.log('error', 'spool-damaged', spooled.damage.message);
    for await (const { participant, update } of spooled.updates()) {
      try {
        this.#count(open, participant, update);
      } catch (thrown) {
        // Its sender is asked again when it comes back.
        const { code, message } = CoppiceError.from(thrown);
        this.#listener.log(
          'error',
          'spool-damaged',
          `A stored update for round ${open.round} could not be used (${code}): ${message}`,
        );
      }
    }
  }

  /** Ends the open round with what has come. @throws CoppiceError `run-state` */
  endNow(): void {
    if (this.#phase !== 'collect' || this.#open === null) {
      throw new CoppiceError('run-state', 'No round is being collected, so there is none to end.');
    }
    this.#listener.log('info', 'round-ended-by-admin', `Round ${this.#open.round} was ended by the admin.`);
    this.#collect(true);
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

  /** Stops timers. What was spooled stays, for the process after this one. */
  close(): void {
    this.#closed = true;
    this.#deadline();
    this.#retry?.();
    this.#grace.endAll();
    this.transfers.dropAll();
    this.#open = null;
  }

  // ---- cohort members

  /**
   * An update was announced by its header, its payload is to come in pieces.
   *
   * @returns the piece that comes next; `null` where all are here.
   * @throws CoppiceError what is wrong with it, as far as can be said.
   */
  announced(participant: string, update: Update): number | null {
    const open = this.#phase === 'collect' ? this.#open : null;
    const payloadBytes = validateHeader(participant, update, this.#rules(open));
    return this.transfers.announced(participant, frameBytes(update.frame), payloadBytes);
  }

  /** Whether an update that came in one message may be counted at once: a small frame can be of a large model. */
  get fitsATurn(): boolean {
    return this.#state.model.weights.length <= STEP_PARAMETERS;
  }

  /** Counts an update. @returns when it is on disk. @throws CoppiceError what is wrong with it, at once. */
  take(participant: string, update: Update): Promise<void> {
    const open = this.#phase === 'collect' ? this.#open : null;
    this.#count(open, participant, update);
    // Counted, so it was validated against the open round.
    return this.#keep(open as OpenRound, participant, update);
  }

  /**
   * The same for a large update, without keeping the event loop: a piece of the model a turn.
   *
   * @returns as soon as it counts, when it is on disk and its frame is not needed any more.
   * @throws CoppiceError what is wrong with it.
   */
  async takeInTurns(participant: string, update: Update): Promise<{ stored: Promise<void> }> {
    const collecting = () => (this.#phase === 'collect' ? this.#open : null);
    const rules = this.#rules(collecting());
    const { values, limit } = await inTurns(validateInSteps(participant, update, rules));
    const stillWanted = () => checkWanted(participant, update, this.#rules(collecting()));
    const round = stillWanted();
    await inTurns(round.sum.checkInSteps(values, update.examples, limit));
    stillWanted();
    const steps = accumulateInSteps(round, participant, update, { values, elapsed: this.#elapsed() });
    this.#grace.end(participant);
    const summed = inTurns(steps);
    round.summed = Promise.all([round.summed, summed]).then(() => {});
    const stored = this.#keep(round, participant, update);
    return { stored: Promise.all([stored, summed]).then(() => {}) };
  }

  /** Writes down an update that counts. @returns when it is on disk. */
  #keep(round: OpenRound, participant: string, update: Update): Promise<void> {
    const stored = this.#o.spool.append(this.#state.record.id, { participant, update });
    const member = round.cohort.get(participant);
    if (member !== undefined) member.stored = stored;
    // A sum that holds what is not on disk must not outlive the failure: the round is tried again whole.
    stored.catch((thrown: unknown) => {
      // Of a round that is being committed its model is what counts, and storage decides about that.
      if (this.#open === round && this.#phase !== 'commit')
        this.#abandon(round, CoppiceError.from(thrown, 'storage-failed'));
    });
    this.#listener.changed();
    this.#collect(false);
    return stored;
  }

  /** A cohort member will not deliver. */
  out(participant: string, outcome: 'left' | 'declined' | 'refused'): void {
    this.#grace.end(participant);
    this.transfers.drop(participant);
    const open = this.#open;
    const member = open?.cohort.get(participant);
    if (open === null || member === undefined) return;
    if (member.outcome === 'asked' || member.outcome === 'away') {
      member.outcome = outcome;
      member.milliseconds = this.#elapsed() - open.beganAt;
    }
    this.#listener.changed();
    this.#collect(false);
  }

  /** A connection broke; its owner may come back in time. */
  away(participant: string): void {
    const member = this.#open?.cohort.get(participant);
    if (member?.outcome !== 'asked') return;
    member.outcome = 'away';
    this.#grace.begin(participant, this.#state.record.plan.graceSeconds * 1000, () =>
      this.out(participant, 'left'),
    );
  }

  back(participant: string): void {
    this.#grace.end(participant);
    const member = this.#open?.cohort.get(participant);
    if (member?.outcome === 'away') member.outcome = 'asked';
  }

  /** Sends the open round again to a cohort member that came back without having delivered. */
  askAgain(participant: string): void {
    const open = this.#open;
    if (open === null || this.#phase !== 'collect') return;
    if (open.cohort.get(participant)?.outcome !== 'asked') return;
    distribute(open, this.#state, {
      audience: this.#o.audience,
      elapsed: this.#elapsed(),
      to: [participant],
    });
  }

  // ---- the steps

  #count(open: OpenRound | null, participant: string, update: Update): void {
    const valid = validate(participant, update, this.#rules(open));
    accumulate(open as OpenRound, participant, update, valid, this.#elapsed());
    this.#grace.end(participant);
  }

  /** @throws CoppiceError `update-late`, `update-stale`: that attempt of that round is not the open one. */
  ensureOpen(asked: { round: number; attempt: number }): void {
    ensureOpen(asked, this.#open, this.#next);
  }

  /** The attempt that begins next. */
  get #next(): { round: number; attempt: number } {
    const open = this.#open;
    if (open !== null) return { round: open.round, attempt: open.attempt + 1 };
    return { round: this.#state.model.round + 1, attempt: this.#retries.attempt };
  }

  #rules(open: OpenRound | null): UpdateRules {
    const { layoutHash } = this.#state;
    return {
      open,
      next: this.#next,
      plan: this.#plan,
      layout: this.#o.layout,
      layoutHash,
      pipeline: this.#pipeline,
    };
  }

  #awaitDeadline(at: number): void {
    this.#deadline = this.#o.clock.setTimer(at - this.#elapsed(), () => this.#collect(true));
  }

  #collect(timeIsUp: boolean): void {
    const open = this.#open;
    if (open === null || this.#phase !== 'collect') return;
    const verdict = collected(open, timeIsUp);
    if (verdict === 'wait') return;
    this.#deadline();
    this.#grace.endAll();
    if (verdict === 'enough') {
      settle(open);
      this.transfers.dropAll();
      this.#step('collected');
      // Rejections end up in #abandon: a round always ends.
      void this.#finish(open);
    } else this.#abandon(open, lostBecause(open, timeIsUp));
  }

  async #finish(open: OpenRound): Promise<void> {
    const state = this.#state;
    try {
      await open.summed;
      if (this.#open !== open) return;
      const { task, plan } = state.record;
      const model = { layout: this.#o.layout, weights: state.model.weights };
      const applied = await apply(open, strategyOf(plan), state.model.state, model);
      if (this.#open !== open) return;
      open.sum.release();
      const { layout, weights: before } = model;
      const next = await roundStep(applied, { before, layout, plan, round: open.round });
      if (this.#open !== open) return;
      this.#step('aggregated');
      const central = await evaluate(this.#o.models, task, next.weights);
      if (this.#open !== open) return;
      this.#step('evaluated');
      const { layoutHash } = state;
      const made = { weights: next.weights, round: open.round };
      const packed = await inTurns(packModels(made, { plan, layout, layoutHash }));
      if (this.#open !== open) return;
      const last = open.round >= plan.rounds || reached(plan.targetAccuracy, central);
      const { lastRound, central: parentCentral } = state;
      const committed = await state.lane.commit(() => this.#commit(open, next, { central, packed, last }));
      if (!committed) return;
      await this.addFederated(lastRound, open.round - 1, meanMetrics(open.evaluations), parentCentral).catch(
        (thrown: unknown) => this.#logFailure(thrown),
      );
      if (last) this.#listener.finished();
    } catch (thrown) {
      if (this.#open === open) this.#abandon(open, CoppiceError.from(thrown));
      return;
    }
    this.#listener.changed();
    this.consider();
  }

  /** Makes a round's model durable, then the current one. @returns false where the round was given up before. */
  async #commit(
    open: OpenRound,
    next: SteppedModel,
    { central, packed, last }: { central: Metrics | null; packed: PackedModels; last: boolean },
  ): Promise<boolean> {
    if (this.#open !== open) return false;
    const state = this.#state;
    const { record } = state;
    const ended = last
      ? { ...record, status: nextStatus(record.status, 'finish'), reason: null, endedAt: this.#now() }
      : null;
    const round = await commit(this.#o.storage, open, next, {
      run: ended,
      task: record.task.id,
      central,
      bytes: cohortBytes(open, this.#o.audience),
      now: this.#now(),
      ended: this.#elapsed(),
    });
    // Closed meanwhile: the process after this one finds the model in storage.
    if (this.#open !== open) return false;
    this.#forget();
    if (ended !== null) state.record = ended;
    const { hash, weights, state: memory, step } = next;
    state.moveOn({ round: open.round, hash, weights, state: memory }, central, round, { packed, step });
    this.#retries.committed();
    this.#end(open, 'committed', null);
    this.#o.observer.roundChanged(round);
    this.#listener.log('info', 'round-committed', committedSentence(round));
    return true;
  }

  #abandon(open: OpenRound, error: CoppiceError): void {
    this.#deadline();
    this.#grace.endAll();
    this.transfers.dropAll();
    settle(open);
    const reason = error.toWire();
    const round = toRecord(open, {
      outcome: 'abandoned',
      reason,
      ended: this.#elapsed(),
      central: null,
      checkpoint: null,
      trainingLoss: null,
      bytes: cohortBytes(open, this.#o.audience),
    });
    this.#end(open, 'abandoned', reason);
    this.#o.observer.roundChanged(round);
    this.#listener.log(
      'warning',
      'round-abandoned',
      `Round ${open.round} was abandoned, the model stays as it was: ${reason.message}`,
      open.round,
    );
    this.#o.storage.putRound(round).catch((thrown: unknown) => this.#logFailure(thrown));
    this.#forget();
    const { wait, giveUp } = this.#retries.abandoned(open.attempt, error.code);
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

  #end(open: OpenRound, outcome: 'committed' | 'abandoned', reason: WireError | null): void {
    announceEnd(open, this.#state, this.#o.audience, { outcome, reason });
    this.#open = null;
    this.#step(outcome);
  }

  /** The measurements of a model come with the updates of the round after it. */
  async addFederated(
    before: Round | null,
    round: number,
    federated: Metrics | null,
    central: Metrics | null,
  ): Promise<void> {
    if (federated === null) return;
    await this.#o.storage.putMetrics({ run: this.#state.record.id, round, central, federated });
    if (before === null) return;
    const amended: Round = { ...before, federated };
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
    this.#listener.log('error', 'storage-failed', CoppiceError.from(thrown, 'storage-failed').message);
  }

  get #plan(): Plan {
    return this.#state.record.plan;
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
