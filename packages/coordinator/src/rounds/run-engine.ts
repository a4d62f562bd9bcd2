import {
  type Answer,
  type AnswerPiece,
  type Availability,
  type Codec,
  CoppiceError,
  type Decline,
  type Event,
  type EventData,
  type EventKind,
  isErrorCode,
  type Join,
  type Joined,
  type Metrics,
  type Model,
  type ParticipantRow,
  type Progress,
  type Reason,
  type Round,
  type Run,
  type RunAction,
  type RunStatus,
  type RunSummary,
  requiresOfLayout,
} from '@coppice/protocol';
import { tellsDivergence } from '../exchanges/cohort.ts';
import type { Exchange, Receipt } from '../exchanges/exchange.ts';
import { roundOf } from '../exchanges/tickets.ts';
import { failureData, reasonOf } from '../failure.ts';
import type { RunEvent } from '../monitoring/new-event.ts';
import { outward } from '../outward.ts';
import type { RunRecord } from '../storage/storage.ts';
import { closingEvaluation } from './closing-evaluation.ts';
import { isOver, nextStatus, type RunAct } from './machine.ts';
import { type Member, progressShare } from './members.ts';
import { type Federated, withFederated } from './open-round.ts';
import type { PackedModel } from './packed-model.ts';
import { RoundLoop } from './round-loop.ts';
import { type RunOptions, RunState } from './run-state.ts';
import { participantRows, summarize } from './view.ts';

/**
 * One run: its status, its participants and their messages. Everything happens on calls from outside or
 * on the injected clock; its rounds are in `round-loop.ts`. A status is durable before anybody is told of it.
 */
export class RunEngine {
  readonly #o: RunOptions;
  readonly #state: RunState;
  readonly #rounds: RoundLoop;
  /** The evaluation of the last model, while it is under way. */
  #closing: Exchange | null = null;
  /** Who joined while a round was open in which it is asked. */
  readonly #askedBefore = new Set<string>();

  constructor(options: RunOptions) {
    this.#o = options;
    this.#state = new RunState(options);
    this.#rounds = new RoundLoop(options, this.#state, {
      changed: () => this.#changed(),
      log: (level, kind, data, round) => this.#log(level, kind, data, round),
      counted: (participant, answer) => this.#counted(participant, answer),
      refused: (participant, error, again) => this.#refused(participant, error, again),
      finished: () => this.#finished(),
      gaveUp: (reason) => this.#giveUp(reason),
    });
  }

  get id(): string {
    return this.#state.record.id;
  }

  /** The capabilities, beside those of its plan, that the run requires of a participant. */
  get requires(): string[] {
    return requiresOfLayout(this.#state.forms.layouts.train);
  }

  get record(): RunRecord {
    return this.#state.record;
  }

  /** It is over, and everything about it is written down. */
  get isAtRest(): boolean {
    return isOver(this.record.status) && this.#closing === null && this.#rounds.isAtRest;
  }

  // ---- what the admin does

  /**
   * Resolves when the new status is durable. A round that is being stored is stored first: it may be the last,
   * and then the run is finished.
   *
   * @throws CoppiceError `run-state`, `run-ended`; `storage-failed` and its kin, then the status is as it was.
   */
  async act(action: RunAction): Promise<void> {
    if (action === 'end-round') return this.#rounds.endNow();
    await this.#changeStatus(action, null);
  }

  /** Goes on where an earlier process stopped, with its open round if it left one. */
  async resumeAfterRestart(): Promise<void> {
    if (this.record.status === 'running') {
      this.#log('info', 'run-recovered', { next: this.#state.model.round + 1 });
    }
    await this.#rounds.recover();
    this.#rounds.consider();
  }

  /** Stops timers; what is on disk is enough to go on from. */
  close(): void {
    this.#rounds.close();
    this.#closing?.abandon();
  }

  // ---- what participants do

  join(participant: string, join: Join): Joined {
    this.#requireAlive();
    const known = this.#state.members.get(participant);
    this.#state.members.join(participant, join, this.#now());
    this.#returned(participant);
    if (this.#rounds.open?.exchange.cohort.has(participant) === true) this.#askedBefore.add(participant);
    if (known === undefined || known.presence === 'left') {
      const { device, backend } = join;
      this.#logOf(participant, 'info', 'participant-joined', { device, backend });
    }
    this.#changed();
    const { task, plan } = this.record;
    const { train, evaluate } = this.#state.forms.layouts;
    return {
      run: this.summary(),
      task,
      plan,
      layout: this.#o.layout,
      answers: { train: [...train], evaluate: [...evaluate] },
      checkpoint: this.#state.model.hash,
    };
  }

  /**
   * What follows a join, once it was answered: a cohort member that came back without having delivered
   * gets the open round again, and a round that waited for one more begins.
   */
  afterJoin(participant: string): void {
    // Of a round that began since, it has been told already.
    if (this.#askedBefore.delete(participant)) this.#rounds.askAgain(participant);
    this.#rounds.consider();
  }

  leave(participant: string): void {
    const member = this.#state.members.get(participant);
    if (member === undefined || member.presence === 'left') return;
    this.#went(participant, 'left');
    this.#logOf(participant, 'info', 'participant-left', {});
    this.#out(participant, 'left');
    this.#changed();
  }

  /** Ends somebody's part in the run. What was acknowledged stays counted; what was not is not waited for. */
  putOut(participant: string, why: CoppiceError): void {
    const member = this.#state.members.get(participant);
    if (member === undefined || member.presence === 'left') return;
    member.lastError = why.toWire();
    this.#went(participant, 'left');
    this.#logOf(participant, 'warning', 'participant-put-out', { code: why.code });
    this.#out(participant, 'refused');
    this.#changed();
  }

  /** Who takes part, connected or for a moment not. */
  members(): string[] {
    return [...this.#state.members.all()].filter(({ presence }) => presence !== 'left').map(({ id }) => id);
  }

  connectionLost(participant: string): void {
    const member = this.#state.members.get(participant);
    if (member === undefined || member.presence !== 'here') return;
    this.#went(participant, 'away');
    for (const exchange of this.#exchanges()) exchange.away(participant);
    this.#changed();
  }

  availability(participant: string, availability: Availability): void {
    const member = this.#requireMember(participant);
    member.paused = availability.paused;
    member.examples = availability.examples;
    this.#changed();
    this.#rounds.consider();
  }

  progress(participant: string, progress: Progress): void {
    const member = this.#state.members.get(participant);
    if (member === undefined || this.#exchangeOf(participant, progress.ticket) === null) return;
    member.progress = progressShare(progress);
    member.lastSeenAt = this.#now();
    this.#o.observer.participantsChanged();
  }

  /** @throws CoppiceError `not-joined`, `ticket-invalid` */
  decline(participant: string, { ticket, reason }: Decline): void {
    const member = this.#requireMember(participant);
    const exchange = this.#exchangeOf(participant, ticket);
    if (exchange?.cohort.owing(participant) == null) return;
    if (reason !== 'paused' && reason !== 'dropout') {
      member.lastError = {
        code: isErrorCode(reason) ? reason : 'internal',
        message: `The participant could not train in round ${this.#rounds.open?.opening.round ?? this.#state.model.round}.`,
      };
      this.#logOf(participant, 'warning', 'update-declined', { code: reason });
    }
    exchange.out(participant, 'declined', tellsDivergence(reason));
  }

  /**
   * Takes an answer. Resolves when it is on disk: only then may it be acknowledged. One whose frame is a header alone is
   * only announced until its pieces are here.
   *
   * @throws CoppiceError a fault of the answer, `not-joined`, `ticket-invalid`, `update-late`; `storage-failed` where it
   *   could not be kept.
   */
  async answer(participant: string, answer: Answer): Promise<Receipt> {
    const member = this.#requireMember(participant);
    member.lastSeenAt = this.#now();
    // An answer may arrive on a new connection before anything else does.
    this.#returned(participant);
    const exchange = this.#exchangeOf(participant, answer.ticket);
    if (exchange !== null) return exchange.take(participant, answer);
    if (this.#countedIn(participant, answer.ticket) === true) return { duplicate: true, next: null };
    throw new CoppiceError(
      'update-late',
      'The question that this update answers is closed. The update does not count; go on with the current model.',
    );
  }

  /** Takes a piece of an answer that was announced. @returns the piece that comes next, when it is written. */
  answerPiece(participant: string, piece: AnswerPiece): Promise<number> {
    const member = this.#requireMember(participant);
    member.lastSeenAt = this.#now();
    const exchange = this.#exchangeOf(participant, piece.ticket);
    if (exchange !== null) return exchange.takePiece(participant, piece);
    throw new CoppiceError(
      'update-late',
      'The question that this update answers is closed. The update does not count; go on with the current model.',
    );
  }

  /**
   * Whether the answers to earlier questions counted in rounds that the model has behind it: `null` while the question is
   * open.
   *
   * @throws CoppiceError `not-joined`, `ticket-invalid`
   */
  async counted(participant: string, tickets: readonly string[]): Promise<(boolean | null)[]> {
    this.#requireMember(participant);
    const names = tickets.map((ticket) => this.#nameOf(participant, ticket));
    const rounds = await this.#o.storage.rounds(this.id);
    return names.map((name) => {
      if (this.#exchanges().some((exchange) => exchange.name === name)) return null;
      const wanted = roundOf(name);
      return rounds.some(
        ({ outcome, round, attempt, cohort }) =>
          outcome === 'committed' &&
          round === wanted?.round &&
          attempt === wanted.attempt &&
          round <= this.#state.model.round &&
          cohort.some((one) => one.participant === participant && one.outcome === 'accepted'),
      );
    });
  }

  /** @throws CoppiceError `checkpoint-unknown` where no current parcel has that hash, `message-invalid`: or not so encoded. */
  parcel(hash: string, codec: Codec): PackedModel {
    return this.#state.parcel(hash, codec);
  }

  /** Whether a ticket is of a question that this participant was asked and that is still open. */
  holdsTicket(participant: string, ticket: string): boolean {
    const name = this.#state.tickets.read(ticket, participant);
    return name !== null && this.#exchanges().some((exchange) => exchange.name === name);
  }

  /**
   * @param has the hash of the model that the participant has already; `null`: none.
   * @param parts whether a model with frozen tensors may come in parts.
   */
  currentModel(participant: string, has: string | null, parts = false): Model {
    const { model, members } = this.#state;
    members.receives(participant, model.hash);
    return { round: model.round, checkpoint: model.hash, ...this.#state.sent(has, parts) };
  }

  // ---- what others see

  summary(): RunSummary {
    const { phase, open } = this.#rounds;
    return summarize(this.#state, phase, { open, admission: this.#o.admission(), clock: this.#o.clock });
  }

  run(): Run {
    const { sequence, from, cause, plan, createdAt, endedAt, reason } = this.record;
    return { ...this.summary(), sequence, from, cause, plan, createdAt, endedAt, reason };
  }

  /** The open round as it stands; `null` between rounds. */
  openRound(): Round | null {
    return this.#rounds.record();
  }

  /** Everyone who joined and is not forgotten since, as the admin sees them, or some of them. */
  participants(ids: readonly string[] = this.everyone()): ParticipantRow[] {
    return participantRows(this.#state, this.#rounds.open, this.#o.audience, ids);
  }

  /** Whether this participant is here, or was and is not forgotten. */
  remembers(participant: string): boolean {
    return this.#state.members.get(participant) !== undefined;
  }

  /** Who joined and is not forgotten since. */
  everyone(): string[] {
    return [...this.#state.members.all()].map(({ id }) => id);
  }

  /** Who is here, and how many of them are at work in the open round, or done. */
  heads(): { here: string[]; working: number; done: number } {
    const here = this.#state.members.here();
    const cohort = this.#rounds.open?.exchange.cohort;
    let working = 0;
    let done = 0;
    if (cohort !== undefined)
      for (const id of here) {
        const outcome = cohort.get(id)?.outcome;
        if (outcome === 'asked') working++;
        else if (outcome === 'accepted') done++;
      }
    return { here, working, done };
  }

  // ---- small parts

  /** The exchanges whose outcome is open: they wait for answers, or a model is being made of those that came. */
  #exchanges(): Exchange[] {
    return [this.#rounds.open?.exchange ?? null, this.#closing].filter((exchange) => exchange !== null);
  }

  /** The exchange that a ticket of this participant names, until its round is over. @throws CoppiceError `ticket-invalid` */
  #exchangeOf(participant: string, ticket: string): Exchange | null {
    const name = this.#nameOf(participant, ticket);
    return this.#exchanges().find((exchange) => exchange.name === name) ?? null;
  }

  #nameOf(participant: string, ticket: string): string {
    const name = this.#state.tickets.read(ticket, participant);
    if (name !== null) return name;
    throw new CoppiceError(
      'ticket-invalid',
      'The ticket is not one that this run gave to this participant. Echo the ticket of the question, unchanged.',
    );
  }

  /** Whether an answer to a question that is closed counted in the last committed round. */
  #countedIn(participant: string, ticket: string): boolean {
    const asked = roundOf(this.#nameOf(participant, ticket));
    const last = this.#state.lastRound;
    return (
      asked !== null &&
      last?.round === asked.round &&
      last.attempt === asked.attempt &&
      last.cohort.some((one) => one.participant === participant && one.outcome === 'accepted')
    );
  }

  #out(participant: string, outcome: 'left' | 'refused'): void {
    for (const exchange of this.#exchanges()) exchange.out(participant, outcome);
  }

  #counted(participant: string, { weight, milliseconds }: Answer): void {
    const member = this.#state.members.get(participant);
    if (member === undefined) return;
    member.progress = 1;
    member.lastError = null;
    member.roundsDelivered++;
    if (milliseconds > 0) member.speed = (weight * this.record.plan.epochs * 1000) / milliseconds;
    this.#o.observer.participantsChanged();
  }

  #went(participant: string, how: 'away' | 'left'): void {
    const cohort = this.#rounds.open?.exchange.cohort;
    this.#state.members.went(participant, how, this.#now(), (id) => cohort?.has(id) === true);
  }

  #returned(participant: string): void {
    this.#state.members.returned(participant);
    for (const exchange of this.#exchanges()) exchange.back(participant);
  }

  /** Logs a refused answer, once a member and attempt. */
  #refused(participant: string, error: CoppiceError, again: boolean): void {
    const member = this.#state.members.get(participant);
    if (member !== undefined) member.lastError = error.toWire();
    if (again) return;
    this.#logOf(participant, 'warning', 'update-refused', failureData(reasonOf(error)));
  }

  #finished(): void {
    const { model, lastRound, central } = this.#state;
    this.#log('info', 'run-finished', { rounds: model.round });
    this.#closing = closingEvaluation(this.#state, this.#o, (federated) => {
      this.#closingDone(lastRound, model.round, federated, central);
    });
    if (this.#closing === null) this.#sayEnded();
  }

  #closingDone(
    before: Round | null,
    round: number,
    federated: Federated | null,
    central: Metrics | null,
  ): void {
    if (before !== null && federated !== null) this.#state.lastRound = withFederated(before, federated);
    this.#rounds
      .addFederated(before, round, federated, central)
      .catch((thrown: unknown) => this.#logFailure(thrown))
      .finally(() => {
        this.#closing = null;
        this.#sayEnded();
        this.#o.observer.runChanged();
      });
  }

  /** Tells everyone in the run that nothing more will be asked. */
  #sayEnded(): void {
    const { status, reason } = this.record;
    this.#o.audience.send(this.#state.members.here(), 'run-end', {
      run: this.id,
      status,
      reason: reason && outward(reason),
    });
  }

  /** Pauses the run for a reason of the coordinator's; it goes on when an admin resumes it. */
  async #giveUp(reason: Reason): Promise<void> {
    // Stopped while this waited for its turn: there is nothing left to pause.
    await this.#changeStatus('give-up', reason).catch((thrown: unknown) => {
      if (!isOver(this.record.status)) throw thrown;
    });
  }

  /** @throws CoppiceError `run-state`, `run-ended`; what storage throws: then the status is as it was. */
  async #changeStatus(act: RunAct, reason: Reason | null): Promise<void> {
    const { lane } = this.#state;
    try {
      await lane.change(async () => {
        const status = nextStatus(this.record.status, act);
        const endedAt = isOver(status) ? this.#now() : null;
        const record = { ...this.record, status, reason, endedAt };
        await this.#o.storage.putRun(record);
        this.#state.record = record;
        if (reason !== null) this.#log('error', 'run-paused', failureData(reason));
        else this.#log('info', eventOf(status), {});
        if (act === 'stop') {
          this.#rounds.halt();
          this.#sayEnded();
        }
        if (act === 'resume') this.#rounds.resumed();
        this.#changed();
      });
    } finally {
      this.#rounds.consider();
    }
  }

  #changed(): void {
    this.#o.observer.runChanged();
    this.#o.observer.participantsChanged();
  }

  #log<K extends EventKind>(
    level: Event['level'],
    kind: K,
    data: EventData[K],
    round: number | null = this.#roundNow(),
  ): void {
    this.#o.observer.event({ round, level, kind, data } as RunEvent);
  }

  /** An event about one participant: many that are alike are counted in the log. */
  #logOf<K extends EventKind>(participant: string, level: Event['level'], kind: K, data: EventData[K]): void {
    this.#o.observer.event({ round: this.#roundNow(), level, kind, participant, data } as RunEvent);
  }

  /** The open round, or the last one; null before the first. */
  #roundNow(): number | null {
    return this.#rounds.open?.opening.round ?? (this.#state.model.round || null);
  }

  #logFailure(thrown: unknown): void {
    this.#log('error', 'storage-failed', failureData(reasonOf(CoppiceError.from(thrown, 'storage-failed'))));
  }

  #now(): number {
    return this.#o.clock.now();
  }

  #requireAlive(): void {
    if (isOver(this.record.status)) {
      throw new CoppiceError(
        'run-ended',
        `The run is ${this.record.status}. Its model can still be used; there is nothing more to train.`,
      );
    }
  }

  #requireMember(participant: string): Member {
    const member = this.#state.members.get(participant);
    if (member === undefined) {
      throw new CoppiceError(
        'not-joined',
        'This participant has not joined the run on this coordinator. Join, then go on.',
      );
    }
    return member;
  }
}

/** The event of a change of status that an admin made. */
function eventOf(status: RunStatus): 'run-running' | 'run-paused' | 'run-stopped' {
  if (status === 'running') return 'run-running';
  return status === 'paused' ? 'run-paused' : 'run-stopped';
}
