import { columnSumsLayout } from '@coppice/federation';
import {
  type AgreedScaling,
  type Answer,
  type AnswerPiece,
  type Availability,
  agreedColumns,
  awaitsScaling,
  type Codec,
  CoppiceError,
  type Decline,
  isHeaderAlone,
  type Join,
  type Joined,
  type Model,
  type ParticipantRow,
  type Progress,
  type Reason,
  type Round,
  type Run,
  type RunAction,
  type RunSummary,
  recipeHash,
  requiresOfData,
  requiresOfLayout,
  requiresOfObjective,
  withScaling,
} from '@coppice/protocol';
import type { Receipt } from '../exchanges/exchange.ts';
import { pullName } from '../exchanges/tickets.ts';
import type { RunRecord } from '../storage/storage.ts';
import { Answers } from './answers.ts';
import { Closing } from './closing.ts';
import { isOver } from './machine.ts';
import { Membership } from './membership.ts';
import { openRecord } from './open-round.ts';
import type { PackedModel } from './packed-model.ts';
import { RoundLoop } from './round-loop.ts';
import { RunLog } from './run-log.ts';
import { type RunOptions, RunState } from './run-state.ts';
import { StatusChanges } from './status-changes.ts';
import { headsOf, participantRows, summarize } from './view.ts';

/**
 * One run, as the rest of the coordinator uses it: puts its parts together, and begins rounds where participants make one
 * possible. Everything happens on calls from outside or on the injected clock.
 */
export class RunEngine {
  readonly #o: RunOptions;
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #membership: Membership;
  readonly #answers: Answers;
  readonly #rounds: RoundLoop;
  readonly #status: StatusChanges;
  /** Of the run's task. Hashed once: a task may have thousands of names. */
  #recipe: string;
  /** Participants that joined while a round was open in which they are asked. */
  readonly #askedBefore = new Set<string>();

  constructor(options: RunOptions) {
    const state = new RunState(options);
    const log = new RunLog(state, options.observer);
    const membership = new Membership(state, log, options);
    this.#o = options;
    this.#state = state;
    this.#log = log;
    this.#membership = membership;
    this.#recipe = recipeHash(state.record.task.data);
    this.#answers = new Answers(state, log, membership, options);
    const closing = new Closing(state, log, options);
    const giveUp = (reason: Reason) => this.#status.giveUp(reason);
    this.#rounds = new RoundLoop({ state, log, membership, closing, giveUp }, options);
    this.#status = new StatusChanges(state, log, this.#rounds, options);
  }

  get id(): string {
    return this.#state.record.id;
  }

  /** The capabilities, beside those of its plan, that the run requires of a participant. */
  get requires(): string[] {
    return [
      ...requiresOfLayout(this.#state.forms.layouts.train),
      ...requiresOfData(this.#state.record.task.data),
      ...requiresOfObjective(this.#state.record.task),
    ];
  }

  get record(): RunRecord {
    return this.#state.record;
  }

  /** It is over, and everything about it is written down. */
  get isAtRest(): boolean {
    return isOver(this.record.status) && this.#state.exchanges.closing === null && this.#rounds.isAtRest;
  }

  // ---- its life

  /**
   * Resolves when the admin's action is done, and durable.
   *
   * @throws CoppiceError `run-state`, `run-ended`; `storage-failed` and its kin, then the status is as it was.
   */
  async act(action: RunAction): Promise<void> {
    if (action === 'end-round') return this.#rounds.endNow();
    await this.#status.change(action);
  }

  /** Stops the run for a reason of the coordinator's. @throws CoppiceError as `act` */
  async giveUp(reason: Reason): Promise<void> {
    await this.#status.change('stop', reason);
  }

  /** Goes on where an earlier process stopped, with its open round if it left one. */
  async resumeAfterRestart(): Promise<void> {
    if (this.record.status === 'running') {
      this.#log.add('info', 'run-recovered', { next: this.#state.model.round + 1 });
    }
    await this.#rounds.recover();
    this.#rounds.consider();
  }

  /** Stops timers; what is on disk is enough to go on from. */
  close(): void {
    this.#rounds.close();
    this.#state.exchanges.closing?.abandon();
  }

  /**
   * Takes what the task's participants agreed on, once that is stored: tells the members, and goes on. A run whose task has
   * its scaling stays as it is.
   */
  async takeScaling(scaling: AgreedScaling): Promise<void> {
    // In the lane: a change of the status that is under way writes the record that it has read.
    await this.#state.lane.commit(async () => {
      const { record, members } = this.#state;
      const { data } = record.task;
      if (!awaitsScaling(data)) return;
      const scaled = withScaling(data, scaling);
      this.#state.record = { ...record, task: { ...record.task, data: scaled } };
      this.#recipe = recipeHash(scaled);
      this.#o.audience.send(members.here(), 'scaling', { run: this.id, scaling, recipe: this.#recipe });
      const { participants, examples } = scaling;
      this.#log.add('info', 'scaling-agreed', { participants, examples });
    });
    this.#rounds.scaled();
  }

  // ---- what participants do

  /** @throws CoppiceError `run-ended` */
  join(participant: string, join: Join): Joined {
    this.#ensureAlive();
    this.#membership.join(participant, join);
    const { exchanges, forms, model } = this.#state;
    const isAsked = [exchanges.round?.exchange, exchanges.scaling].some((one) =>
      one?.cohort.has(participant),
    );
    if (isAsked) this.#askedBefore.add(participant);
    const { task, plan } = this.record;
    const { train, evaluate } = forms.layouts;
    return {
      run: this.summary(),
      task,
      plan,
      layout: this.#o.layout,
      answers: {
        train: [...train],
        evaluate: [...evaluate],
        ...(awaitsScaling(task.data)
          ? { statistics: [...columnSumsLayout(agreedColumns(task.data), plan.maxExamples)] }
          : {}),
      },
      checkpoint: model.hash,
      recipe: this.#recipe,
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
    this.#membership.leave(participant);
  }

  /** Ends a member's part in the run. Acknowledged answers stay counted; others are not waited for. */
  putOut(participant: string, why: CoppiceError): void {
    this.#membership.putOut(participant, why);
  }

  connectionLost(participant: string): void {
    this.#membership.connectionLost(participant);
  }

  /** @throws CoppiceError `not-joined` */
  availability(participant: string, availability: Availability): void {
    this.#membership.availability(participant, availability);
    this.#rounds.consider();
  }

  /** @throws CoppiceError `ticket-invalid` */
  progress(participant: string, progress: Progress): void {
    this.#answers.progress(participant, progress);
  }

  /** @throws CoppiceError `not-joined`, `ticket-invalid` */
  decline(participant: string, decline: Decline): void {
    this.#answers.decline(participant, decline);
  }

  /** Takes an answer; see `Answers`. */
  answer(participant: string, answer: Answer, unread?: () => void): Promise<Receipt> {
    return this.#answers.take(participant, answer, unread);
  }

  /** Takes a piece of an answer that was announced. @returns the piece that comes next, when it is written. */
  answerPiece(participant: string, piece: AnswerPiece, unread?: () => void): Promise<number> {
    return this.#answers.takePiece(participant, piece, unread);
  }

  /** Whether the answers to earlier questions counted; see `Answers`. */
  counted(participant: string, tickets: readonly string[]): Promise<(boolean | null)[]> {
    return this.#answers.counted(participant, tickets);
  }

  /** Whether a ticket is of a question that this participant was asked and that is still open. */
  holdsTicket(participant: string, ticket: string): boolean {
    return this.#answers.holdsTicket(participant, ticket);
  }

  /** Checks that a current parcel has this hash. */
  isCurrent(hash: string): boolean {
    return this.#state.isCurrent(hash);
  }

  /** @throws CoppiceError `checkpoint-unknown` where no current parcel has that hash, `message-invalid`: or not so encoded. */
  parcel(hash: string, codec: Codec): PackedModel {
    return this.#state.parcel(hash, codec);
  }

  /**
   * @param has the hash of the model that the participant has already; `null`: none.
   * @param parts whether a model with frozen tensors may come in parts.
   */
  currentModel(participant: string, has: string | null, parts = false): Model {
    const { model, members, tickets } = this.#state;
    members.receives(participant, model.hash);
    const sent = this.#state.sent(has, parts);
    const large = isHeaderAlone(sent.frame) || sent.frozen !== undefined;
    return {
      round: model.round,
      checkpoint: model.hash,
      ...sent,
      ...(large ? { ticket: tickets.issue(pullName(model), participant) } : {}),
    };
  }

  // ---- what others see

  summary(): RunSummary {
    const { admission, clock } = this.#o;
    return summarize(this.#state, this.#rounds.phase, { admission: admission(), clock });
  }

  run(): Run {
    const { sequence, from, firstWeights, cause, plan, createdAt, endedAt, reason } = this.record;
    return {
      ...this.summary(),
      sequence,
      from,
      ...(firstWeights === undefined ? {} : { firstWeights }),
      cause,
      plan,
      createdAt,
      endedAt,
      reason,
    };
  }

  /** The open round as it stands; `null` between rounds. */
  openRound(): Round | null {
    const { round } = this.#state.exchanges;
    return round === null ? null : openRecord(round, this.#o.audience);
  }

  /** Rows, as the admin sees them, of all participants that joined and are not forgotten since, or of some. */
  participants(ids: readonly string[] = this.everyone()): ParticipantRow[] {
    return participantRows(this.#state, this.#o.audience, ids);
  }

  /** Participants that take part, connected or for a moment not. */
  members(): string[] {
    return [...this.#state.members.all()].filter(({ presence }) => presence !== 'left').map(({ id }) => id);
  }

  /** Participants that joined and are not forgotten since. */
  everyone(): string[] {
    return [...this.#state.members.all()].map(({ id }) => id);
  }

  /** Whether this participant is here, or was and is not forgotten. */
  remembers(participant: string): boolean {
    return this.#state.members.get(participant) !== undefined;
  }

  /** Members that are here, and how many of them are at work in the open round, or done. */
  heads(): { here: string[]; working: number; done: number } {
    return headsOf(this.#state);
  }

  #ensureAlive(): void {
    if (isOver(this.record.status)) {
      throw new CoppiceError(
        'run-ended',
        `The run is ${this.record.status}. Its model can still be used; there is nothing more to train.`,
      );
    }
  }
}
