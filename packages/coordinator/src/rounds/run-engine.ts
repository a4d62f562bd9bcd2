import {
  meanMetrics,
  type Pipeline,
  pipelineOf,
  type StrategyState,
  selectCohort,
  strategyOf,
} from '@coppice/federation';
import { type Clock, seededRandom } from '@coppice/ports';
import {
  type Availability,
  CoppiceError,
  type Decline,
  type Evaluation,
  type Event,
  encodeFrame,
  type Frame,
  float32Payload,
  type Join,
  type Joined,
  type Layout,
  layoutHash,
  type Metrics,
  type Model,
  type Outcome,
  type ParticipantRow,
  type Phase,
  type Progress,
  type Round,
  type Run,
  type RunAction,
  type RunSummary,
  type Update,
  type WireError,
} from '@coppice/protocol';
import type { Evaluator } from '../evaluation/evaluator.ts';
import { nativeCrc32 } from '../native-crc32.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import { accumulate } from './accumulate.ts';
import { apply } from './apply.ts';
import type { Audience, Bytes } from './audience.ts';
import { collected } from './collect.ts';
import { commit } from './commit.ts';
import { distribute } from './distribute.ts';
import { evaluate } from './evaluate.ts';
import { isOver, nextPhase, nextStatus, type RoundStep, type RunAct } from './machine.ts';
import { examplesBucket, Members, memberState, progressShare } from './members.ts';
import { type OpenRound, pending, toRecord } from './open-round.ts';
import { select } from './select.ts';
import { validate } from './validate.ts';

/** How a run tells the rest of the coordinator what happened. */
export interface RunObserver {
  runChanged(): void;
  roundChanged(round: Round): void;
  participantsChanged(): void;
  event(event: Omit<Event, 'id' | 'at' | 'run'>): void;
}

export interface RunEngineOptions {
  readonly record: RunRecord;
  readonly layout: Layout;
  /** The newest model and the strategy's memory with it. */
  readonly model: {
    readonly round: number;
    readonly hash: string;
    readonly weights: Float32Array;
    readonly state: StrategyState;
  };
  readonly central: Metrics | null;
  /** The round record that made the newest model, to add late metrics to. */
  readonly lastRound: Round | null;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly audience: Audience;
  readonly evaluator: Evaluator;
  readonly observer: RunObserver;
}

/** After so many rounds in a row that all diverged, waiting longer will not help. */
const MAX_DIVERGED_ROUNDS = 5;
/** Pause before a round that was abandoned is tried again: 1 s, doubled each time up to 30 s. */
const RETRY_FIRST = 1000;
const RETRY_LONGEST = 30_000;
/** How long the measurements of the last model are waited for. */
const CLOSING_EVALUATION = 60_000;

/**
 * One run: its participants, its open round, its model. Everything happens on calls from outside or
 * on the injected clock; the steps of a round are in the files named after them.
 */
export class RunEngine {
  readonly #o: RunEngineOptions;
  readonly #members = new Members();
  readonly #layoutHash: Uint8Array;
  readonly #pipeline: Pipeline;
  /** Where a received update is put in order before it is summed; used by one at a time. */
  readonly #scratch: Float32Array;
  #record: RunRecord;
  #model: RunEngineOptions['model'];
  #frame: Uint8Array;
  #central: Metrics | null;
  #lastRound: Round | null;
  #phase: Phase = 'idle';
  #phaseSince: number;
  #open: OpenRound | null = null;
  #attempt = 1;
  #abandonedInRow = 0;
  #divergedInRow = 0;
  #deadline: () => void = () => {};
  #retry: (() => void) | null = null;
  readonly #grace = new Map<string, () => void>();
  #closing: { hash: string; metrics: Map<string, Metrics>; asked: Set<string>; stop: () => void } | null =
    null;

  constructor(options: RunEngineOptions) {
    this.#o = options;
    this.#record = options.record;
    this.#model = options.model;
    this.#central = options.central;
    this.#lastRound = options.lastRound;
    this.#layoutHash = layoutHash(options.layout);
    this.#pipeline = pipelineOf(options.record.plan);
    this.#scratch = new Float32Array(options.model.weights.length);
    this.#frame = this.#encode(options.model.weights);
    this.#phaseSince = options.clock.now();
  }

  get id(): string {
    return this.#record.id;
  }

  get record(): RunRecord {
    return this.#record;
  }

  // ---- what the admin does

  async act(action: RunAction): Promise<void> {
    if (action === 'end-round') return this.#endRound();
    const act: RunAct = action;
    await this.#changeStatus(nextStatus(this.#record.status, act), null);
    this.#log('info', `run-${this.#record.status}`, runSentences[this.#record.status]);
    if (action === 'stop') this.#halt();
    else this.#consider();
  }

  /** Goes on with a run that was running when the coordinator last stopped. */
  resumeAfterRestart(): void {
    this.#log(
      'info',
      'run-recovered',
      `The run goes on from round ${this.#model.round} after a restart of the coordinator.`,
    );
    this.#consider();
  }

  /** Stops timers; the open round is dropped and begins anew at the next start. */
  close(): void {
    this.#deadline();
    this.#retry?.();
    this.#closing?.stop();
    for (const cancel of this.#grace.values()) cancel();
    this.#grace.clear();
    this.#open = null;
  }

  // ---- what participants do

  join(participant: string, join: Join): Joined {
    this.#requireAlive();
    const known = this.#members.get(participant);
    this.#members.join(participant, join, this.#now());
    this.#returned(participant);
    if (known === undefined || known.presence === 'left') {
      this.#log('info', 'participant-joined', `A participant joined (${join.device}, ${join.backend}).`);
    }
    this.#changed();
    return {
      run: this.summary(),
      task: this.#record.task,
      plan: this.#record.plan,
      layout: this.#o.layout,
      checkpoint: this.#model.hash,
    };
  }

  /**
   * What follows a join, once it was answered: a cohort member that came back without having delivered
   * gets the open round again, and a round that waited for one more begins.
   */
  afterJoin(participant: string): void {
    const member = this.#open?.cohort.get(participant);
    if (this.#open !== null && this.#phase === 'collect' && member?.outcome === 'asked') {
      distribute(this.#open, this.#frame, {
        audience: this.#o.audience,
        now: this.#now(),
        to: [participant],
      });
    }
    this.#consider();
  }

  leave(participant: string): void {
    const member = this.#members.get(participant);
    if (member === undefined || member.presence === 'left') return;
    member.presence = 'left';
    member.lastSeenAt = this.#now();
    this.#log('info', 'participant-left', 'A participant left.');
    this.#out(participant, 'left');
    this.#changed();
  }

  connectionLost(participant: string): void {
    const member = this.#members.get(participant);
    if (member === undefined || member.presence !== 'here') return;
    member.presence = 'away';
    member.progress = null;
    member.lastSeenAt = this.#now();
    const inRound = this.#open?.cohort.get(participant);
    if (inRound?.outcome === 'asked') {
      inRound.outcome = 'away';
      const cancel = this.#o.clock.setTimer(this.#record.plan.graceSeconds * 1000, () => {
        this.#grace.delete(participant);
        this.#out(participant, 'left');
      });
      this.#grace.set(participant, cancel);
    }
    this.#changed();
  }

  availability(participant: string, availability: Availability): void {
    const member = this.#requireMember(participant);
    member.paused = availability.paused;
    member.examples = availability.examples;
    this.#changed();
    this.#consider();
  }

  progress(participant: string, progress: Progress): void {
    const member = this.#members.get(participant);
    if (member === undefined || progress.round !== this.#open?.round) return;
    member.progress = progressShare(progress);
    member.lastSeenAt = this.#now();
    this.#o.observer.participantsChanged();
  }

  decline(participant: string, decline: Decline): void {
    const member = this.#requireMember(participant);
    const open = this.#open;
    if (open === null || decline.round !== open.round || decline.attempt !== open.attempt) return;
    if (decline.reason !== 'paused' && decline.reason !== 'dropout') {
      member.lastError = {
        code: decline.reason,
        message: `The participant could not train in round ${open.round}.`,
      };
      this.#log('warning', 'update-declined', `A participant could not train: ${decline.reason}.`);
      if (decline.reason === 'training-diverged') open.diverged++;
    }
    this.#out(participant, 'declined');
  }

  /** Takes an update, or throws by name what is wrong with it. */
  update(participant: string, update: Update): void {
    const member = this.#requireMember(participant);
    member.lastSeenAt = this.#now();
    // An update may arrive on a new connection before anything else does.
    this.#returned(participant);
    try {
      const values = validate(participant, update, {
        open: this.#phase === 'collect' ? this.#open : null,
        round: this.#open?.round ?? this.#model.round + 1,
        plan: this.#record.plan,
        layout: this.#o.layout,
        layoutHash: this.#layoutHash,
        pipeline: this.#pipeline,
        scratch: this.#scratch,
      });
      // Validated against the open round, so there is one.
      accumulate(this.#open as OpenRound, participant, update, values, this.#now());
    } catch (thrown) {
      this.#refuse(participant, CoppiceError.from(thrown), update.round);
      throw thrown;
    }
    member.progress = 1;
    member.lastError = null;
    member.roundsDelivered++;
    if (update.milliseconds > 0) {
      member.speed = (update.examples * this.#record.plan.epochs * 1000) / update.milliseconds;
    }
    this.#changed(false);
    this.#collect(false);
  }

  evaluation(participant: string, evaluation: Evaluation): void {
    this.#requireMember(participant);
    const closing = this.#closing;
    if (closing === null || closing.hash !== evaluation.checkpoint || !closing.asked.has(participant)) return;
    closing.metrics.set(participant, evaluation.metrics);
    if (closing.metrics.size === closing.asked.size) this.#endClosing();
  }

  currentModel(): Model {
    return { round: this.#model.round, checkpoint: this.#model.hash, frame: this.#frame };
  }

  // ---- what others see

  summary(): RunSummary {
    const { id, task, plan, status } = this.#record;
    return {
      id,
      task: task.id,
      title: task.title,
      status,
      phase: this.#phase,
      round: this.#model.round,
      rounds: plan.rounds,
      participants: this.#members.here().length,
      needed: plan.minParticipants,
      deadlineAt: this.#phase === 'collect' ? (this.#open?.deadlineAt ?? null) : null,
      central: this.#central,
      checkpoint: this.#model.hash,
    };
  }

  run(): Run {
    const { plan, createdAt, endedAt, reason } = this.#record;
    return { ...this.summary(), plan, createdAt, endedAt, reason };
  }

  /** The open round as it stands; `null` between rounds. */
  openRound(): Round | null {
    if (this.#open === null) return null;
    return toRecord(this.#open, {
      outcome: 'open',
      reason: null,
      endedAt: null,
      central: null,
      checkpoint: null,
      trainingLoss: meanMetrics(this.#open.losses)?.loss ?? null,
      bytes: this.#bytes(this.#open),
    });
  }

  participants(): ParticipantRow[] {
    return [...this.#members.all()].map((member) => {
      const outcome = this.#open?.cohort.get(member.id)?.outcome;
      const inRound = outcome === 'asked' ? 'training' : outcome === 'accepted' ? 'delivered' : null;
      const bytes = this.#o.audience.bytes(member.id);
      return {
        id: member.id,
        run: this.id,
        device: member.device,
        backend: member.backend,
        state: memberState(member, inRound),
        examplesAtLeast: examplesBucket(member.examples),
        speed: member.speed,
        progress: inRound === null ? null : member.progress,
        roundsDelivered: member.roundsDelivered,
        roundsMissed: member.roundsMissed,
        bytesUp: bytes.up,
        bytesDown: bytes.down,
        lastSeenAt: member.lastSeenAt,
        lastError: member.lastError,
      };
    });
  }

  // ---- the round

  /** Begins a round where one is wanted and possible. */
  #consider(): void {
    if (this.#record.status !== 'running') {
      if (this.#phase === 'waiting') this.#step('halted');
      return;
    }
    if (this.#phase === 'idle' && this.#retry === null) this.#step('begin');
    if (this.#phase !== 'waiting') return;
    const available = this.#members.available();
    if (available.length < this.#record.plan.minParticipants) return;
    this.#step('enough');
    const open = select({
      run: this.id,
      round: this.#model.round + 1,
      attempt: this.#attempt,
      plan: this.#record.plan,
      parent: this.#model.hash,
      parameters: this.#model.weights.length,
      available,
      now: this.#now(),
      audience: this.#o.audience,
    });
    this.#open = open;
    for (const id of open.cohort.keys()) {
      const member = this.#members.get(id);
      if (member !== undefined) member.progress = 0;
    }
    this.#step('selected');
    distribute(open, this.#frame, { audience: this.#o.audience, now: this.#now() });
    this.#step('distributed');
    this.#deadline = this.#o.clock.setTimer(open.deadlineAt - this.#now(), () => this.#collect(true));
    this.#log(
      'info',
      'round-started',
      `Round ${open.round} began: ${open.cohort.size} asked, ${open.sizes.target} wanted.`,
    );
    this.#changed();
    // A cohort member may have gone while it was being asked.
    this.#collect(false);
  }

  #collect(timeIsUp: boolean): void {
    const open = this.#open;
    if (open === null || this.#phase !== 'collect') return;
    const verdict = collected(open, timeIsUp);
    if (verdict === 'wait') return;
    this.#deadline();
    for (const cancel of this.#grace.values()) cancel();
    this.#grace.clear();
    if (verdict === 'enough') {
      this.#step('collected');
      // Rejections end up in #abandon: a round always ends.
      void this.#finishRound(open);
    } else this.#abandon(open, this.#lostBecause(open, timeIsUp));
  }

  async #finishRound(open: OpenRound): Promise<void> {
    try {
      const { task, plan } = this.#record;
      const model = { layout: this.#o.layout, weights: this.#model.weights };
      const next = apply(open, strategyOf(plan), this.#model.state, model);
      this.#step('aggregated');
      const central = await evaluate(this.#o.evaluator, task, next.weights);
      if (this.#open !== open) return;
      this.#step('evaluated');
      const last = open.round >= plan.rounds || reached(plan.targetAccuracy, central);
      const record: RunRecord = last
        ? { ...this.#record, status: nextStatus(this.#record.status, 'finish'), endedAt: this.#now() }
        : this.#record;
      const round = await commit(this.#o.storage, open, next, {
        run: record,
        central,
        bytes: this.#bytes(open),
        now: this.#now(),
      });
      if (this.#open !== open) return;
      const evaluated = meanMetrics(open.evaluations);
      const before = this.#lastRound;
      const parentCentral = this.#central;
      // The admin may have paused the run while it was being committed.
      this.#record = last ? record : { ...record, status: this.#record.status };
      this.#model = { round: open.round, hash: next.hash, weights: next.weights, state: next.state };
      this.#frame = this.#encode(next.weights);
      this.#central = central;
      this.#lastRound = round;
      this.#attempt = 1;
      this.#abandonedInRow = 0;
      this.#divergedInRow = 0;
      this.#endRoundFor(open, 'committed', null);
      this.#step('committed');
      this.#o.observer.roundChanged(round);
      this.#log('info', 'round-committed', committedSentence(round));
      await this.#addFederated(before, open.round - 1, evaluated, parentCentral);
      if (last) this.#finished();
    } catch (thrown) {
      if (this.#open !== open) return;
      this.#abandon(open, CoppiceError.from(thrown));
      return;
    }
    this.#changed();
    this.#consider();
  }

  #abandon(open: OpenRound, error: CoppiceError): void {
    this.#deadline();
    const reason = error.toWire();
    const round = toRecord(open, {
      outcome: 'abandoned',
      reason,
      endedAt: this.#now(),
      central: null,
      checkpoint: null,
      trainingLoss: null,
      bytes: this.#bytes(open),
    });
    this.#endRoundFor(open, 'abandoned', reason);
    this.#step('abandoned');
    this.#attempt = open.attempt + 1;
    this.#divergedInRow = error.code === 'training-diverged' ? this.#divergedInRow + 1 : 0;
    this.#o.observer.roundChanged(round);
    this.#log(
      'warning',
      'round-abandoned',
      `Round ${open.round} was abandoned, the model stays as it was: ${reason.message}`,
      open.round,
    );
    this.#o.storage.putRound(round).catch((thrown: unknown) => this.#logFailure(thrown));
    if (isOver(this.#record.status)) {
      this.#changed();
      return;
    }
    if (this.#divergedInRow >= MAX_DIVERGED_ROUNDS) {
      this.#fail(reason);
      return;
    }
    const wait = Math.min(RETRY_LONGEST, RETRY_FIRST * 2 ** this.#abandonedInRow++);
    this.#retry = this.#o.clock.setTimer(wait, () => {
      this.#retry = null;
      this.#consider();
    });
    this.#changed();
  }

  /** Tells everyone how the round ended and settles what became of each cohort member. */
  #endRoundFor(open: OpenRound, outcome: 'committed' | 'abandoned', reason: WireError | null): void {
    const groups = new Map<Outcome | null, string[]>();
    for (const [id, member] of open.cohort) {
      if (member.outcome === 'asked' || member.outcome === 'away') member.outcome = 'late';
      const row = this.#members.get(id);
      if (row !== undefined) {
        row.progress = null;
        if (member.outcome !== 'accepted') row.roundsMissed++;
      }
    }
    for (const id of this.#members.here()) {
      const you = open.cohort.get(id)?.outcome ?? null;
      groups.set(you, [...(groups.get(you) ?? []), id]);
    }
    for (const [you, ids] of groups) {
      this.#o.audience.send(ids, 'round-end', {
        run: this.id,
        round: open.round,
        attempt: open.attempt,
        outcome,
        reason,
        checkpoint: this.#model.hash,
        central: outcome === 'committed' ? this.#central : null,
        accepted: open.sum.updates,
        asked: open.cohort.size,
        you,
      });
    }
    this.#open = null;
  }

  /** The measurements of a model come with the updates of the round after it. */
  async #addFederated(
    before: Round | null,
    round: number,
    federated: Metrics | null,
    central: Metrics | null,
  ): Promise<void> {
    if (federated === null) return;
    await this.#o.storage.putMetrics({ run: this.id, round, central, federated });
    if (before === null) return;
    const amended: Round = { ...before, federated };
    await this.#o.storage.putRound(amended);
    this.#o.observer.roundChanged(amended);
  }

  /** Nobody trains on the last model, so it is sent out once more to be measured. */
  #finished(): void {
    this.#log('info', 'run-finished', `The run is finished after ${this.#model.round} rounds.`);
    const size = Math.max(1, this.#lastRound?.target ?? 1);
    const asked = selectCohort(
      this.#members.available(),
      size,
      seededRandom(this.#record.plan.seed, 'closing'),
    );
    if (asked.length === 0) return;
    const stop = this.#o.clock.setTimer(CLOSING_EVALUATION, () => this.#endClosing());
    this.#closing = { hash: this.#model.hash, metrics: new Map(), asked: new Set(asked), stop };
    this.#o.audience.send(asked, 'evaluate', {
      run: this.id,
      round: this.#model.round,
      checkpoint: this.#model.hash,
      frame: this.#frame,
    });
  }

  #endClosing(): void {
    const closing = this.#closing;
    if (closing === null) return;
    this.#closing = null;
    closing.stop();
    const federated = meanMetrics(closing.metrics.values());
    const before = this.#lastRound;
    if (before !== null && federated !== null) this.#lastRound = { ...before, federated };
    this.#addFederated(before, this.#model.round, federated, this.#central).catch((thrown: unknown) =>
      this.#logFailure(thrown),
    );
  }

  /** A cohort member will not deliver. */
  #out(participant: string, outcome: 'left' | 'declined'): void {
    this.#grace.get(participant)?.();
    this.#grace.delete(participant);
    const member = this.#open?.cohort.get(participant);
    if (this.#open === null || member === undefined) return;
    if (member.outcome === 'asked' || member.outcome === 'away') {
      member.outcome = outcome;
      member.milliseconds = this.#now() - this.#open.startedAt;
    }
    this.#changed(false);
    this.#collect(false);
  }

  #returned(participant: string): void {
    const row = this.#members.get(participant);
    if (row !== undefined) row.presence = 'here';
    this.#grace.get(participant)?.();
    this.#grace.delete(participant);
    const member = this.#open?.cohort.get(participant);
    if (member?.outcome === 'away') member.outcome = 'asked';
  }

  #refuse(participant: string, error: CoppiceError, round: number): void {
    if (error.code === 'update-duplicate') return;
    const member = this.#members.get(participant);
    if (member !== undefined) member.lastError = error.toWire();
    const open = this.#open;
    const inRound = open?.cohort.get(participant);
    if (open !== null) {
      open.refused++;
      if (error.code === 'update-not-finite' || error.code === 'update-out-of-range') open.diverged++;
    }
    this.#log(
      'warning',
      'update-refused',
      `An update for round ${round} was refused (${error.code}): ${error.message}`,
    );
    // A damaged frame may be sent again; what is wrong in itself will not get better.
    if (
      open !== null &&
      inRound !== undefined &&
      round === open.round &&
      (error.retry === 'never' || error.code === 'internal')
    ) {
      if (inRound.outcome === 'asked') inRound.outcome = 'refused';
      this.#changed(false);
      this.#collect(false);
    }
  }

  #endRound(): void {
    if (this.#phase !== 'collect' || this.#open === null) {
      throw new CoppiceError('run-state', 'No round is being collected, so there is none to end.');
    }
    this.#log('info', 'round-ended-by-admin', `Round ${this.#open.round} was ended by the admin.`);
    this.#collect(true);
  }

  #halt(): void {
    this.#retry?.();
    this.#retry = null;
    if (this.#open !== null) {
      this.#abandon(this.#open, new CoppiceError('run-ended', 'The run was stopped by the admin.'));
    } else if (this.#phase === 'waiting') this.#step('halted');
    this.#changed();
  }

  #fail(reason: WireError): void {
    this.#changeStatus(nextStatus(this.#record.status, 'fail'), reason).catch((thrown: unknown) =>
      this.#logFailure(thrown),
    );
    this.#log('error', 'run-failed', `The run failed: ${reason.message}`);
    this.#changed();
  }

  #lostBecause(open: OpenRound, timeIsUp: boolean): CoppiceError {
    const { quorum } = open.sizes;
    // A round is given up as soon as the quorum is out of reach, before all have answered, so only those
    // who did answer can say what went wrong.
    const accepted = open.sum.updates;
    const answered = open.cohort.size - pending(open);
    if (open.diverged > accepted && open.diverged >= answered - accepted) {
      return new CoppiceError(
        'training-diverged',
        `The training diverged on ${open.diverged} of the ${answered} devices that answered: the loss is not a number. A smaller learning rate may help.`,
      );
    }
    return new CoppiceError(
      'quorum-lost',
      `${open.sum.updates} of ${quorum} needed updates came${timeIsUp ? ' before the deadline' : ', and too few participants are left'}.`,
    );
  }

  #bytes(open: OpenRound): Bytes {
    let up = 0;
    let down = 0;
    for (const [id, { bytesBefore }] of open.cohort) {
      const now = this.#o.audience.bytes(id);
      up += now.up - bytesBefore.up;
      down += now.down - bytesBefore.down;
    }
    return { up, down };
  }

  #encode(weights: Float32Array): Uint8Array {
    const frame: Frame = {
      kind: 'weights',
      codec: 'float32',
      layoutHash: this.#layoutHash,
      parameters: weights.length,
      payload: float32Payload(weights),
    };
    return encodeFrame(frame, nativeCrc32);
  }

  async #changeStatus(status: RunRecord['status'], reason: WireError | null): Promise<void> {
    const endedAt = isOver(status) ? this.#now() : null;
    this.#record = { ...this.#record, status, reason, endedAt };
    await this.#o.storage.putRun(this.#record);
    this.#o.observer.runChanged();
  }

  #step(step: RoundStep): void {
    const now = this.#now();
    if (this.#open !== null)
      this.#open.phases[this.#phase] = (this.#open.phases[this.#phase] ?? 0) + now - this.#phaseSince;
    this.#phase = nextPhase(this.#phase, step);
    this.#phaseSince = now;
    this.#o.observer.runChanged();
    const open = this.openRound();
    if (open !== null) this.#o.observer.roundChanged(open);
  }

  #changed(run = true): void {
    if (run) this.#o.observer.runChanged();
    this.#o.observer.participantsChanged();
  }

  #log(
    level: Event['level'],
    kind: string,
    message: string,
    round: number | null = this.#open?.round ?? (this.#model.round || null),
  ): void {
    this.#o.observer.event({ round, level, kind, message });
  }

  #logFailure(thrown: unknown): void {
    this.#log('error', 'storage-failed', CoppiceError.from(thrown, 'storage-failed').message);
  }

  #now(): number {
    return this.#o.clock.now();
  }

  #requireAlive(): void {
    if (isOver(this.#record.status)) {
      throw new CoppiceError(
        'run-ended',
        `The run is ${this.#record.status}. Its model can still be used; there is nothing more to train.`,
      );
    }
  }

  #requireMember(participant: string) {
    const member = this.#members.get(participant);
    if (member === undefined) {
      throw new CoppiceError('update-not-selected', 'This participant has not joined the run. Join first.');
    }
    return member;
  }
}

const runSentences: Record<RunRecord['status'], string> = {
  created: 'The run was created.',
  running: 'The run is running.',
  paused: 'The run is paused: the open round ends, no other begins.',
  finished: 'The run is finished.',
  stopped: 'The run was stopped.',
  failed: 'The run failed.',
};

function committedSentence(round: Round): string {
  const megabytes = ((round.bytesUp + round.bytesDown) / 1e6).toFixed(1);
  const accuracy = round.central?.accuracy;
  const measured =
    accuracy === null || accuracy === undefined ? '' : ` · accuracy ${(accuracy * 100).toFixed(1)} %`;
  return `Round ${round.round} committed · ${round.accepted} of ${round.asked} returned · ${megabytes} MB${measured}`;
}

function reached(target: number | null, central: Metrics | null): boolean {
  return target !== null && central?.accuracy != null && central.accuracy >= target;
}
