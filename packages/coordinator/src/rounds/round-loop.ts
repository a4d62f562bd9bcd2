import { awaitsScaling, CoppiceError, metricForm, type Phase, type Reason } from '@coppice/protocol';
import type { Closed } from '../exchanges/exchange.ts';
import type { RoundOpening } from '../storage/spool.ts';
import type { Closing } from './closing.ts';
import { commit } from './commit.ts';
import { isOver, nextStatus } from './machine.ts';
import { type MadeModel, makeModel } from './make-model.ts';
import { measuredOf, tellMeasured } from './measured.ts';
import type { Membership } from './membership.ts';
import { nextNormBounds } from './norm-bounds.ts';
import { federatedOf, type OpenRound } from './open-round.ts';
import { openingOf } from './opening.ts';
import { recount, spooledRound, timesAfterRestart } from './recover-round.ts';
import { Retries } from './retries.ts';
import { RoundOutcomes } from './round-outcomes.ts';
import { RoundPhase } from './round-phase.ts';
import type { RunLog } from './run-log.ts';
import { allChanged, type RunOptions, type RunState } from './run-state.ts';
import { AGREEMENT_PAUSE, ScalingAgreement } from './scaling-agreement.ts';
import { askToTrain, type ExchangeTimes, trainExchange } from './train-exchange.ts';

/** The parts of a run that its rounds act on. */
export interface RoundLoopParts {
  readonly state: RunState;
  readonly log: RunLog;
  readonly membership: Pick<Membership, 'counted' | 'refused'>;
  /** Follows the last round. */
  readonly closing: Pick<Closing, 'begin'>;
  /** Pauses the run: more attempts would not help. @throws CoppiceError where that could not be stored. */
  readonly giveUp: (reason: Reason) => Promise<void>;
}

/**
 * The rounds of one run, one at a time: from selection to commit or abandonment. A round is one exchange and the steps
 * after it, each in the file named after it. Moves on calls from its run and on the clock's timers.
 */
export class RoundLoop {
  readonly #p: RoundLoopParts;
  readonly #o: RunOptions;
  readonly #state: RunState;
  readonly #phase: RoundPhase;
  readonly #outcomes: RoundOutcomes;
  readonly #retries: Retries;
  readonly #scaling: ScalingAgreement;
  /** Whether a round is being stored, or what follows it is not yet done. */
  #committing = false;
  /** Settles when the round that is being given up is over; `null`: there is none. */
  #abandoning: Promise<void> | null = null;
  #closed = false;

  constructor(parts: RoundLoopParts, options: RunOptions) {
    this.#p = parts;
    this.#o = options;
    this.#state = parts.state;
    this.#phase = new RoundPhase(parts.state, options);
    this.#outcomes = new RoundOutcomes(parts.state, parts.log, this.#phase, options);
    this.#scaling = new ScalingAgreement(parts.state, parts.log, options);
    this.#retries = new Retries(options.clock, options.attempt, options.retryPauses);
  }

  get phase(): Phase {
    return this.#phase.now;
  }

  /** No round is open, and all that followed the last one is done. */
  get isAtRest(): boolean {
    return this.#open === null && !this.#committing;
  }

  get #open(): OpenRound | null {
    return this.#state.exchanges.round;
  }

  // ---- opening

  /** Begins a round where one is wanted and possible, and no change of the run's status is under way. */
  consider(): void {
    const { record, members, lane } = this.#state;
    if (this.#closed || lane.changing) return;
    if (record.status !== 'running') {
      if (this.phase === 'waiting') this.#phase.step('halted');
      return;
    }
    if (this.phase === 'idle' && !this.#retries.isPausing) this.#phase.step('begin');
    if (this.phase !== 'waiting' || members.availableCount < record.plan.minParticipants) return;
    if (awaitsScaling(record.task.data)) {
      if (this.#scaling.isPossible) this.#agree();
      return;
    }
    this.#phase.step('enough');
    this.#select();
  }

  /** Lets the participants agree on the task's scaling. A round follows. */
  #agree(): void {
    this.#phase.step('agree');
    this.#scaling.begin((agreed) => {
      if (this.#closed || this.phase !== 'scaling') return;
      this.#phase.step('agreement-over');
      if (agreed) this.consider();
      else this.#retries.pause(AGREEMENT_PAUSE, () => this.consider());
    });
  }

  /** Ends an agreement that another run of the task came first with. A round may follow. */
  scaled(): void {
    if (this.phase === 'scaling' && this.#state.exchanges.scaling?.isClosed === false) {
      this.#scaling.abandon();
      this.#phase.step('agreement-over');
    }
    if (this.phase !== 'scaling') this.consider();
  }

  /** Goes on with the round that an earlier process left open, if there is one. */
  async recover(): Promise<void> {
    const { state, log } = this.#p;
    const spooled = await spooledRound(state, this.#o, log);
    if (spooled === null) return;
    const { opening } = spooled;
    const { exchange } = this.#begin(opening, timesAfterRestart(opening, state.record.plan, this.#o.clock));
    this.#phase.step('recovered');
    await recount(spooled, exchange, log);
    const { accepted } = exchange.cohort;
    log.add('info', 'round-recovered', { accepted, target: opening.sizes.target });
    exchange.open();
  }

  #select(): void {
    const { clock, spool, observer } = this.#o;
    const { members } = this.#state;
    const opening = this.#draw();
    // Appends go after it in the same file, so it is on disk before any answer is acknowledged.
    spool.open(opening);
    const { deadlineSeconds, graceSeconds } = this.#state.record.plan;
    const beganAt = clock.elapsed();
    const open = this.#begin(opening, {
      begin: 'asked',
      beganAt,
      dueAt: beganAt + deadlineSeconds * 1000,
      grace: graceSeconds * 1000,
    });
    for (const id of opening.cohort) {
      const member = members.get(id);
      if (member !== undefined) member.progress = 0;
    }
    this.#phase.step('selected');
    askToTrain(open, this.#state, this.#o);
    this.#phase.step('distributed');
    const { cohort, sizes } = opening;
    this.#p.log.add('info', 'round-started', { asked: cohort.length, target: sizes.target });
    allChanged(observer);
    // A cohort member may have gone while it was being asked.
    open.exchange.open();
  }

  #draw(): RoundOpening {
    const { record, members, model, secret, attendance, forms, lastRound } = this.#state;
    return openingOf({
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
      now: this.#o.clock.now(),
    });
  }

  #begin(opening: RoundOpening, times: ExchangeTimes): OpenRound {
    const { state, membership } = this.#p;
    const exchange = trainExchange(opening, times, state, {
      ...this.#o,
      listener: {
        changed: () => allChanged(this.#o.observer),
        counted: (participant, answer) => membership.counted(participant, answer),
        refused: (participant, error, again) => membership.refused(participant, error, again),
        closed: (how) => this.#collected(open, how),
      },
    });
    const open: OpenRound = {
      opening,
      exchange,
      normsBefore: state.lastRound?.norms,
      phases: {},
      over: new AbortController(),
    };
    state.exchanges.round = open;
    return open;
  }

  // ---- calls from the run

  /** Sends the open round's question again to a cohort member that came back without having answered. */
  askAgain(participant: string): void {
    this.#scaling.askAgain(participant);
    const open = this.#open;
    if (open === null || this.phase !== 'collect') return;
    if (open.exchange.cohort.get(participant)?.outcome === 'asked')
      askToTrain(open, this.#state, this.#o, [participant]);
  }

  /** Ends the open round with the answers that have come. @throws CoppiceError `run-state` */
  endNow(): void {
    if (this.phase !== 'collect' || this.#open === null || this.#open.over.signal.aborted) {
      throw new CoppiceError('run-state', 'No round is being collected, so there is none to end.');
    }
    this.#p.log.add('info', 'round-ended-by-admin', {});
    this.#open.exchange.endNow();
  }

  /** Earlier rounds that came to nothing do not count any more, and the next one need not wait. */
  resumed(): void {
    this.#retries.resumed();
  }

  /**
   * Gives up the open round, and begins no other. Resolves when everybody is told. Called in the record's lane: not while
   * a round is being stored.
   */
  async halt(): Promise<void> {
    this.#retries.stop();
    if (this.#open !== null) {
      await this.#abandon(this.#open, new CoppiceError('run-ended', 'The run was stopped by the admin.'));
    } else if (this.phase === 'waiting' || this.phase === 'scaling') {
      this.#scaling.abandon();
      this.#phase.step('halted');
    }
  }

  /** Stops timers. Spooled answers stay, for the process after this one. */
  close(): void {
    this.#closed = true;
    this.#retries.stop();
    this.#scaling.abandon();
    this.#open?.exchange.abandon();
    this.#open?.over.abort();
    this.#state.exchanges.round = null;
  }

  // ---- the steps after the exchange

  #collected(open: OpenRound, how: Closed): void {
    if (open.over.signal.aborted) return;
    if (how.outcome === 'lost') {
      void this.#abandon(open, how.reason);
      return;
    }
    this.#phase.step('collected');
    // Rejections end up in #abandon: a round always ends.
    void this.#finish(open);
  }

  async #finish(open: OpenRound): Promise<void> {
    const { state, closing } = this.#p;
    try {
      const made = await makeModel(open, state, this.#phase, this.#o);
      const committed = await state.lane.commit(() => this.#commit(open, made));
      if (!committed) return;
      if (made.last) closing.begin();
    } catch (thrown) {
      if (!open.over.signal.aborted) await this.#abandon(open, CoppiceError.from(thrown));
      return;
    } finally {
      this.#committing = false;
    }
    allChanged(this.#o.observer);
    this.consider();
  }

  /** Makes a round's model durable, then the current one. @returns false where the round was given up before. */
  async #commit(open: OpenRound, made: MadeModel): Promise<boolean> {
    const { signal } = open.over;
    if (signal.aborted) return false;
    this.#committing = true;
    const { storage, audience, clock } = this.#o;
    const { record, lastRound, central } = this.#state;
    const parent = { made: lastRound, round: open.opening.round - 1, central };
    const measured = measuredOf(record.id, parent, federatedOf(open.exchange, metricForm(record.task)));
    const run = made.last
      ? { ...record, status: nextStatus(record.status, 'finish'), reason: null, endedAt: clock.now() }
      : null;
    const round = await commit(storage, open, made.next, {
      run,
      task: record.task.id,
      central: made.central,
      audience,
      now: clock.now(),
      ended: clock.elapsed(),
      measured,
    });
    // Closed meanwhile: the process after this one finds the model in storage.
    if (signal.aborted) return false;
    if (run !== null) this.#state.record = run;
    this.#retries.committed();
    this.#outcomes.committed(open, made, round);
    if (measured !== null) tellMeasured(measured, this.#p.log, this.#o.observer);
    return true;
  }

  /** Gives up a round, once. Resolves when that is stored, as far as storage allows, and told. */
  #abandon(open: OpenRound, error: CoppiceError): Promise<void> {
    this.#abandoning ??= this.#giveUpRound(open, error).finally(() => {
      this.#abandoning = null;
    });
    return this.#abandoning;
  }

  async #giveUpRound(open: OpenRound, error: CoppiceError): Promise<void> {
    const { log, giveUp } = this.#p;
    const reason = await this.#outcomes.abandoned(open, error, () => this.#closed);
    // Closed meanwhile: nobody is told, and the process after this one finds the record, or goes on with the round.
    if (reason === null) return;
    const next = this.#retries.abandoned(open.opening.attempt, error.code);
    if (!isOver(this.#state.record.status)) {
      this.#retries.pause(next.wait, () => this.consider());
      // Where the pause cannot be stored, the rounds are tried again, and so is the pause.
      if (next.giveUp) giveUp(reason).catch((thrown: unknown) => log.notStored(thrown));
    }
    allChanged(this.#o.observer);
  }
}
