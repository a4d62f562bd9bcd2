import {
  type Availability,
  type Codec,
  CoppiceError,
  type Decline,
  type ErrorCode,
  type Evaluation,
  type Event,
  FRAME_HEADER_BYTES,
  frameBytes,
  isHeaderAlone,
  type Join,
  type Joined,
  type JsonObject,
  type Metrics,
  type Model,
  type ParticipantRow,
  PIECE_BYTES,
  type Progress,
  type Round,
  type Run,
  type RunAction,
  type RunSummary,
  type Update,
  type UpdatePiece,
  type WireError,
} from '@coppice/protocol';
import type { RunRecord } from '../storage/storage.ts';
import { ClosingEvaluation } from './closing-evaluation.ts';
import { isOver, nextStatus, type RunAct } from './machine.ts';
import { type Member, progressShare } from './members.ts';
import { owing } from './open-round.ts';
import { RoundLoop } from './round-loop.ts';
import { type RunOptions, RunState } from './run-state.ts';
import { pausedSentence, runSentences } from './sentences.ts';
import { checkMeasured } from './validate.ts';
import { participantRows, summarize } from './view.ts';

/** Codes that an honest device sends, or is sent, when its training diverges. */
const divergedCodes: ReadonlySet<ErrorCode> = new Set([
  'training-diverged',
  'update-not-finite',
  'update-out-of-range',
  'update-norm',
]);

/**
 * One run: its status, its participants and their messages. Everything happens on calls from outside or
 * on the injected clock; its rounds are in `round-loop.ts`. A status is durable before anybody is told of it.
 */
export class RunEngine {
  readonly #o: RunOptions;
  readonly #state: RunState;
  readonly #rounds: RoundLoop;
  #closing: ClosingEvaluation | null = null;
  /** Who joined while a round was open in which it is asked. */
  readonly #askedBefore = new Set<string>();

  constructor(options: RunOptions) {
    this.#o = options;
    this.#state = new RunState(options);
    this.#rounds = new RoundLoop(options, this.#state, {
      changed: () => this.#changed(),
      log: (level, kind, message, round) => this.#log(level, kind, message, round),
      finished: () => this.#finished(),
      gaveUp: (reason) => this.#giveUp(reason),
    });
  }

  get id(): string {
    return this.#state.record.id;
  }

  get record(): RunRecord {
    return this.#state.record;
  }

  /** It is over, and everything about it is written down. */
  get isAtRest(): boolean {
    return isOver(this.record.status) && this.#closing === null && this.#rounds.open === null;
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
      this.#log(
        'info',
        'run-recovered',
        `The run goes on from round ${this.#state.model.round} after a restart of the coordinator.`,
      );
    }
    await this.#rounds.recover();
    this.#rounds.consider();
  }

  /** Stops timers; what is on disk is enough to go on from. */
  close(): void {
    this.#rounds.close();
    this.#closing?.close();
  }

  // ---- what participants do

  join(participant: string, join: Join): Joined {
    this.#requireAlive();
    const known = this.#state.members.get(participant);
    this.#state.members.join(participant, join, this.#now());
    this.#returned(participant);
    if (this.#rounds.open?.cohort.has(participant) === true) this.#askedBefore.add(participant);
    if (known === undefined || known.presence === 'left') {
      const { device, backend } = join;
      this.#logOf(participant, 'info', 'participant-joined', {
        message: `A participant joined (${device}, ${backend}).`,
        data: { device, backend },
      });
    }
    this.#changed();
    const { task, plan } = this.record;
    return { run: this.summary(), task, plan, layout: this.#o.layout, checkpoint: this.#state.model.hash };
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
    this.#logOf(participant, 'info', 'participant-left', { message: 'A participant left.' });
    this.#rounds.out(participant, 'left');
    this.#changed();
  }

  /** Ends somebody's part in the run. What was acknowledged stays counted; what was not is not waited for. */
  putOut(participant: string, why: CoppiceError): void {
    const member = this.#state.members.get(participant);
    if (member === undefined || member.presence === 'left') return;
    member.lastError = why.toWire();
    this.#went(participant, 'left');
    this.#logOf(participant, 'warning', 'participant-put-out', {
      message: `A participant was put out of the run (${why.code}).`,
      data: { code: why.code },
    });
    this.#rounds.out(participant, 'refused');
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
    this.#rounds.away(participant);
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
    if (member === undefined || progress.round !== this.#rounds.open?.round) return;
    member.progress = progressShare(progress);
    member.lastSeenAt = this.#now();
    this.#o.observer.participantsChanged();
  }

  decline(participant: string, decline: Decline): void {
    const member = this.#requireMember(participant);
    const open = this.#rounds.open;
    if (open === null || decline.round !== open.round || decline.attempt !== open.attempt) return;
    const asked = owing(open, participant);
    if (asked === null) return;
    if (decline.reason !== 'paused' && decline.reason !== 'dropout') {
      member.lastError = {
        code: decline.reason,
        message: `The participant could not train in round ${open.round}.`,
      };
      this.#logOf(participant, 'warning', 'update-declined', {
        message: `A participant could not train: ${decline.reason}.`,
        data: { code: decline.reason },
      });
      asked.diverged = divergedCodes.has(decline.reason);
    }
    this.#rounds.out(participant, 'declined');
  }

  /**
   * Takes an update. Resolves with null when it is on disk: only then may it be acknowledged. One whose
   * frame is a header alone is only announced until its pieces are here: then with the piece that comes next.
   *
   * @throws CoppiceError what is wrong with the update; `update-duplicate` where it was counted before
   *   (and is on disk), `storage-failed` where it could not be kept.
   */
  async update(participant: string, update: Update): Promise<number | null> {
    const member = this.#requireMember(participant);
    member.lastSeenAt = this.#now();
    // An update may arrive on a new connection before anything else does.
    this.#returned(participant);
    const frame = frameBytes(update.frame);
    let stored: Promise<void>;
    try {
      this.#refuseCounted(participant, update);
      if (isHeaderAlone(frame)) {
        const next = this.#rounds.announced(participant, update);
        if (next !== null) return next;
        const taken = await this.#takeWhole(participant, update);
        if (typeof taken === 'number') return taken;
        stored = taken.stored;
      } else {
        if (frame.byteLength > PIECE_BYTES) throw tooLarge(frame.byteLength);
        stored = this.#rounds.fitsATurn
          ? this.#rounds.take(participant, update)
          : (await this.#rounds.takeInTurns(participant, update)).stored;
      }
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      if (error.code === 'update-duplicate') await this.#rounds.open?.cohort.get(participant)?.stored;
      else this.#refused(participant, member, error, update);
      throw thrown;
    }
    member.progress = 1;
    member.lastError = null;
    member.roundsDelivered++;
    if (update.milliseconds > 0) {
      member.speed = (update.examples * this.record.plan.epochs * 1000) / update.milliseconds;
    }
    this.#o.observer.participantsChanged();
    await stored;
    return null;
  }

  /** Takes a piece of an update that was announced. @returns the piece that comes next, when it is written. */
  updatePiece(participant: string, piece: UpdatePiece): Promise<number> {
    const member = this.#requireMember(participant);
    member.lastSeenAt = this.#now();
    this.#rounds.ensureOpen(piece);
    return this.#rounds.transfers.take(participant, piece);
  }

  /** @throws CoppiceError `checkpoint-unknown` where that is not the current model. */
  modelPiece(checkpoint: string, codec: Codec, piece: number): Uint8Array {
    return this.#state.piece(checkpoint, codec, piece);
  }

  evaluation(participant: string, evaluation: Evaluation): void {
    this.#requireMember(participant);
    checkMeasured(evaluation.metrics, this.record.plan);
    this.#closing?.take(participant, evaluation);
  }

  /** @param has the hash of the model that the participant has already; `null`: none. */
  currentModel(participant: string, has: string | null): Model {
    const { model, members } = this.#state;
    members.receives(participant, model.hash);
    return { round: model.round, checkpoint: model.hash, ...this.#state.sent(has) };
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
    const cohort = this.#rounds.open?.cohort;
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

  /** All pieces are here: counts the update, one at a time so that memory holds one. */
  #takeWhole(participant: string, update: Update): Promise<number | { stored: Promise<void> }> {
    const { transfers } = this.#rounds;
    return transfers.alone(async () => {
      // Others had their turn: the round may have closed, and this very update may have been counted.
      this.#refuseCounted(participant, update);
      const next = this.#rounds.announced(participant, update);
      if (next !== null) return next;
      try {
        const frame = await transfers.whole(participant);
        const taken = await this.#rounds.takeInTurns(participant, { ...update, frame });
        // Until then the frame is in memory.
        await taken.stored.catch(() => {});
        return taken;
      } finally {
        transfers.drop(participant);
      }
    });
  }

  #went(participant: string, how: 'away' | 'left'): void {
    const cohort = this.#rounds.open?.cohort;
    this.#state.members.went(participant, how, this.#now(), (id) => cohort?.has(id) === true);
  }

  #returned(participant: string): void {
    this.#state.members.returned(participant);
    this.#rounds.back(participant);
  }

  /** An update whose acknowledgement was lost comes again when its round may be closed, or long committed. */
  #refuseCounted(participant: string, { round, attempt, checkpoint }: Update): void {
    const open = this.#rounds.open;
    const last = this.#state.lastRound;
    const counts =
      open?.round === round && open.attempt === attempt && open.parent === checkpoint
        ? open.cohort.get(participant)?.outcome === 'accepted'
        : last?.round === round &&
          last.parent === checkpoint &&
          last.cohort.some((one) => one.participant === participant && one.outcome === 'accepted');
    if (counts) {
      throw new CoppiceError(
        'update-duplicate',
        `An update of this participant was already counted in round ${round}.`,
      );
    }
  }

  /** Counts and logs a refused update, once a member and attempt; the sender of any other was answered, no more. */
  #refused(participant: string, member: Member, error: CoppiceError, { round, attempt }: Update): void {
    const open = this.#rounds.open;
    if (open?.round !== round || open.attempt !== attempt) return;
    const asked = owing(open, participant);
    if (asked === null) return;
    member.lastError = error.toWire();
    if (!asked.refused)
      this.#logOf(participant, 'warning', 'update-refused', {
        message: `An update for round ${round} was refused (${error.code}): ${error.message}`,
        data: { code: error.code, round },
      });
    asked.refused = true;
    asked.diverged = divergedCodes.has(error.code);
    // A damaged frame may be sent again; an update that is wrong in itself will not get better.
    if (error.retry === 'never' || error.code === 'internal') this.#rounds.out(participant, 'refused');
  }

  #finished(): void {
    const { model, lastRound, central } = this.#state;
    this.#log('info', 'run-finished', `The run is finished after ${model.round} rounds.`);
    this.#closing = new ClosingEvaluation(this.#state, this.#o, (federated) => {
      this.#closingDone(lastRound, model.round, federated, central);
    });
    if (this.#closing.askedNobody) this.#closing = null;
  }

  #closingDone(
    before: Round | null,
    round: number,
    federated: Metrics | null,
    central: Metrics | null,
  ): void {
    if (before !== null && federated !== null) this.#state.lastRound = { ...before, federated };
    this.#rounds
      .addFederated(before, round, federated, central)
      .catch((thrown: unknown) => this.#logFailure(thrown))
      .finally(() => {
        this.#closing = null;
        this.#o.observer.runChanged();
      });
  }

  /** Pauses the run for a reason of the coordinator's; it goes on when an admin resumes it. */
  async #giveUp(reason: WireError): Promise<void> {
    // Stopped while this waited for its turn: there is nothing left to pause.
    await this.#changeStatus('give-up', reason).catch((thrown: unknown) => {
      if (!isOver(this.record.status)) throw thrown;
    });
  }

  /** @throws CoppiceError `run-state`, `run-ended`; what storage throws: then the status is as it was. */
  async #changeStatus(act: RunAct, reason: WireError | null): Promise<void> {
    const { lane } = this.#state;
    try {
      await lane.change(async () => {
        const status = nextStatus(this.record.status, act);
        const endedAt = isOver(status) ? this.#now() : null;
        const record = { ...this.record, status, reason, endedAt };
        await this.#o.storage.putRun(record);
        this.#state.record = record;
        if (reason === null) this.#log('info', `run-${status}`, runSentences[status]);
        else this.#log('error', `run-${status}`, pausedSentence(reason));
        if (act === 'stop') this.#rounds.halt();
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

  #log(level: Event['level'], kind: string, message: string, round: number | null = this.#roundNow()): void {
    this.#o.observer.event({ round, level, kind, message });
  }

  /** An event about one participant: many that are alike are counted in the log. */
  #logOf(
    participant: string,
    level: Event['level'],
    kind: string,
    said: { message: string; data?: JsonObject },
  ): void {
    this.#o.observer.event({ round: this.#roundNow(), level, kind, participant, ...said });
  }

  /** The open round, or the last one; null before the first. */
  #roundNow(): number | null {
    return this.#rounds.open?.round ?? (this.#state.model.round || null);
  }

  #logFailure(thrown: unknown): void {
    this.#log('error', 'storage-failed', CoppiceError.from(thrown, 'storage-failed').message);
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

function tooLarge(bytes: number): CoppiceError {
  return new CoppiceError(
    'frame-too-large',
    `The update came whole with ${bytes} bytes; above ${PIECE_BYTES} it is announced by its header of ${FRAME_HEADER_BYTES} bytes and follows in pieces.`,
  );
}
