import { payloadValues, takeSteps, toFloat32 } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  ANSWER_TIMEOUT,
  type Checksum,
  CoppiceError,
  crc32,
  type Down,
  type DownName,
  decodeFrame,
  decodeHeader,
  type ErrorCode,
  frameBytes,
  frameLayout,
  isHeaderAlone,
  type Join,
  layoutHash,
  type Metrics,
  type Model,
  modelSize,
  movesBySteps,
  PIECE_BYTES,
  type Reply,
  type RoundEnd,
  type RoundStart,
  readFloat32Payload,
  travelling,
  type Up,
  type Update,
  type UpName,
  type UpValue,
  type Welcome,
  type WireError,
  weightsHash,
} from '@coppice/protocol';
import { holdOut } from './holdout.ts';
import type { DataSummary, LocalData, OpenLocalData } from './local-data.ts';
import { ModelFetcher, type PieceOptions, sendUpdate } from './pieces.ts';
import { reportedLoss, reportedMetrics } from './reported.ts';
import type { Activity, SavedModel, Session, SessionState } from './session-state.ts';
import { trainRound } from './train-round.ts';
import type { TrainerHost } from './trainer-host.ts';
import type { Transport } from './transport.ts';

export interface SessionOptions {
  readonly transport: Transport;
  readonly host: TrainerHost;
  readonly openData: OpenLocalData;
  readonly clock: Clock;
  /** Of frames; the protocol's own unless a platform has a faster one. */
  readonly checksum?: Checksum;
  readonly device: Join['device'];
  /** Named in `join` before a trainer exists. */
  readonly backend: string;
  /** Whether to keep the first and newest global weights, to ask the model with. Costs two models of memory. */
  readonly keepModels: boolean;
  /** Decides whether to drop out of an attempt of a round, before training; for simulations. Both count from 1. */
  readonly dropsOut?: (round: number, attempt: number) => boolean;
}

const OUTBOUND_KEPT = 100;
const OUTCOMES_KEPT = 200;
/** How often an update that was damaged on the way is sent, before the round is declined. */
const DELIVERY_ATTEMPTS = 3;
/** How often a model is asked for again that was replaced while it was being fetched. */
const PULLS = 3;
/** How often progress is told to the coordinator, at most. */
const PROGRESS_INTERVAL = 500;

/** For progress that is none of training. */
const NO_EPOCH = { epoch: 0, epochs: 0, loss: null } as const;

const initialState: SessionState = {
  connection: 'connecting',
  operator: null,
  participant: null,
  clockOffset: 0,
  runs: [],
  joined: null,
  activity: { kind: 'idle' },
  paused: false,
  peers: null,
  backend: null,
  backendNote: null,
  backendLost: null,
  speed: null,
  lastRound: null,
  accepted: 0,
  outcomes: [],
  localMetrics: [],
  model: null,
  sent: { messages: 0, bytes: 0 },
  received: { messages: 0, bytes: 0 },
  outbound: [],
  error: null,
};

/** Takes part: the same code in a browser's worker and in a headless client. */
export function createSession(options: SessionOptions): Session {
  return new ParticipantSession(options);
}

interface Made {
  readonly update: Update;
  readonly norm: number;
  readonly residual: Float32Array | null;
  /** Whether the coordinator has acknowledged it. */
  readonly acknowledged: boolean;
}

class ParticipantSession implements Session {
  readonly #o: SessionOptions;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #state: SessionState = initialState;
  /** The run to be in, through every reconnection. */
  #wanted: string | null = null;
  /** Shown at each join until one was granted: from then on the run knows this participant. */
  #invitation: string | null = null;
  #data: { task: string; local: LocalData; stop: () => void } | null = null;
  #summary: DataSummary | null = null;
  #work: { round: number; attempt: number; abort: AbortController } | null = null;
  /** The attempt that this device could not take part in: why not says more than what became of the round. */
  #failedAt: Pick<RoundStart, 'run' | 'round' | 'attempt'> | null = null;
  /** The last update made, to be sent again rather than trained again. */
  #made: Made | null = null;
  /** The last model that was received whole or by steps, where the run's models may come as steps. */
  #base: { run: string; checkpoint: string; weights: Float32Array } | null = null;
  /** What the codec left out of the last update that counted: it is added to the next. */
  #residual: { run: string; values: Float32Array } | null = null;
  #first: SavedModel | null = null;
  #latest: SavedModel | null = null;
  #toldProgressAt: number | null = null;
  /** Stops the wait for a word of the run. */
  #expecting: () => void = () => {};
  /** Pieces are part of the message that they belong to: the outbound log has that. */
  readonly #models: ModelFetcher;

  constructor(options: SessionOptions) {
    this.#o = options;
    this.#models = new ModelFetcher((name, message) => this.#o.transport.request(name, message));
    options.host.onBackend(({ backend, note, insteadOf }) =>
      this.#set({ backend, backendNote: note, backendLost: insteadOf }),
    );
  }

  get state(): SessionState {
    return this.#state;
  }

  subscribe(changed: (state: SessionState) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  connect(): void {
    this.#o.transport.open({
      onWelcome: (welcome) => void this.#welcomed(welcome),
      onLost: () => this.#set({ connection: 'offline', peers: null }),
      onRefused: (error) => {
        if (error.code === 'participant-banned') this.#out();
        else this.#abort();
        this.#set({ connection: 'refused', error, activity: { kind: 'idle' } });
      },
      onMessage: (name, message) => this.#received(name, message),
    });
  }

  async join(run: string, invitation: string | null = null): Promise<void> {
    this.#wanted = run;
    this.#invitation = invitation;
    // What stood there is about an earlier try.
    this.#set({ error: null });
    await this.#join();
  }

  async leave(): Promise<void> {
    const run = this.#wanted;
    this.#out();
    this.#set({ error: null });
    // Offline, the coordinator finds out by itself.
    if (run !== null && this.#state.connection === 'online')
      await this.#request('leave', { run }).catch(() => {});
  }

  async pause(): Promise<void> {
    this.#set({ paused: true, activity: { kind: 'paused' } });
    await this.#declineWork('paused');
    await this.#tellAvailability();
  }

  async resume(): Promise<void> {
    this.#set({ paused: false });
    this.#rest();
    await this.#tellAvailability();
  }

  async dataChanged(): Promise<void> {
    if (this.#data === null) return;
    this.#summary = await this.#data.local.summary();
    if (this.#work === null) this.#rest();
    await this.#tellAvailability();
  }

  models(): { first: SavedModel | null; latest: SavedModel | null } {
    return { first: this.#first, latest: this.#latest };
  }

  async pull(run: string): Promise<SavedModel> {
    for (let pulls = 1; ; pulls++) {
      const has = this.#base?.run === run ? this.#base.checkpoint : undefined;
      const model = await this.#pull({ run, ...(has === undefined ? {} : { has }) });
      try {
        return await this.#receive(run, model);
      } catch (thrown) {
        // A large model takes a while to fetch; a round may have ended meanwhile.
        const replaced = thrown instanceof CoppiceError && thrown.code === 'checkpoint-unknown';
        if (!replaced || pulls === PULLS) throw thrown;
      }
    }
  }

  async #pull(message: Up<'pull'>): Promise<Model> {
    const reply = await this.#request('pull', message);
    if (!reply.ok) throw CoppiceError.fromWire(reply.error);
    return reply.value;
  }

  close(): void {
    this.#wanted = null;
    this.#expecting();
    this.#abort();
    this.#closeData();
    this.#o.transport.close();
  }

  // ---- connection

  async #welcomed(welcome: Welcome): Promise<void> {
    this.#set({
      connection: 'online',
      operator: welcome.operator,
      participant: welcome.participant,
      clockOffset: welcome.now - this.#o.clock.now(),
      runs: welcome.runs,
      error: null,
    });
    if (this.#wanted !== null) await this.#join().catch((thrown: unknown) => this.#failed(thrown));
  }

  /** @throws CoppiceError what the coordinator answered, or what opening the data met. */
  async #join(): Promise<void> {
    const run = this.#wanted;
    if (run === null || this.#state.connection !== 'online') return;
    const summary = this.#state.runs.find((one) => one.id === run);
    const reply = await this.#request('join', {
      run,
      device: this.#o.device,
      backend: this.#state.backend ?? this.#o.backend,
      examples: this.#data !== null && this.#data.task === summary?.task ? (this.#summary?.count ?? 0) : 0,
      speed: this.#state.speed,
      paused: this.#state.paused,
      ...(this.#invitation === null ? {} : { invitation: this.#invitation }),
      has: this.#base?.run === run ? this.#base.checkpoint : null,
    });
    if (!reply.ok) {
      this.#wanted = null;
      this.#expecting();
      this.#set({ joined: null, activity: { kind: reply.error.code === 'run-ended' ? 'ended' : 'idle' } });
      throw CoppiceError.fromWire(reply.error);
    }
    this.#invitation = null;
    const { task, plan, layout } = reply.value;
    this.#set({ joined: { run, task, plan, layout }, error: null });
    this.#heard(run);
    const opened = await this.#openData();
    if (this.#work === null) this.#rest();
    if (opened) await this.#tellAvailability();
    if (this.#o.keepModels && this.#latest?.checkpoint !== reply.value.checkpoint)
      this.#keep(await this.pull(run));
  }

  async #openData(): Promise<boolean> {
    const joined = this.#state.joined;
    if (joined === null || this.#data?.task === joined.task.id) return false;
    this.#closeData();
    const local = await this.#o.openData(joined.task.id, joined.task.data);
    this.#summary = await local.summary();
    const stop = local.subscribe((summary) => {
      this.#summary = summary;
    });
    this.#data = { task: joined.task.id, local, stop };
    return true;
  }

  #closeData(): void {
    this.#data?.stop();
    this.#data?.local.close();
    this.#data = null;
    this.#summary = null;
  }

  async #tellAvailability(): Promise<void> {
    const run = this.#state.joined?.run;
    if (run === undefined || this.#state.connection !== 'online') return;
    const message = { run, paused: this.#state.paused, examples: this.#summary?.count ?? 0 };
    // A lost answer is no matter: joining again says the same.
    await this.#request('availability', message).catch(() => {});
  }

  // ---- messages

  #received<N extends DownName>(name: N, message: Down<N>): void {
    const handlers: { [K in DownName]: (message: Down<K>) => void } = {
      // Transports keep these two to themselves.
      challenge: () => {},
      welcome: () => {},
      run: ({ run, now }) => {
        const others = this.#state.runs.filter((one) => one.id !== run.id);
        this.#set({
          runs: [run, ...others].sort((a, b) => (a.id < b.id ? 1 : -1)),
          clockOffset: now - this.#o.clock.now(),
        });
        const over = run.status === 'finished' || run.status === 'stopped' || run.status === 'failed';
        if (over && run.id === this.#state.joined?.run && this.#work === null) this.#rest();
      },
      peers: (peers) => {
        if (peers.run === this.#state.joined?.run) this.#set({ peers });
      },
      notice: ({ run, ...error }) => {
        if (run !== undefined && run === this.#wanted) this.#out();
        this.#set({ error });
      },
      'round-start': (start) => void this.#round(start),
      'round-end': (end) => this.#roundEnded(end),
      evaluate: (ask) => void this.#evaluate(ask),
    };
    handlers[name](message);
    const about = message as { run?: string | { id: string } };
    this.#heard(typeof about.run === 'object' ? about.run.id : about.run);
  }

  /**
   * A run tells its participants of every change. Where nothing comes for long, what did may have been
   * lost: joining again brings the open round once more, or says that the run is over.
   */
  #heard(run: string | undefined): void {
    if (run === undefined || run !== this.#wanted) return;
    this.#expecting();
    // Those who fell silent together do not all ask together: the answer to the first is heard by all.
    const share = Number.parseInt(this.#state.participant?.slice(0, 8) ?? '', 16) / 2 ** 32 || 0;
    this.#expecting = this.#o.clock.setTimer(ANSWER_TIMEOUT * (1 + share), () => {
      if (this.#work === null) this.#join().catch((thrown: unknown) => this.#failed(thrown));
      this.#heard(run);
    });
  }

  async #round(start: RoundStart): Promise<void> {
    const joined = this.#state.joined;
    if (joined === null || joined.run !== start.run || this.#data === null) return;
    if (this.#work?.round === start.round && this.#work.attempt === start.attempt) return;
    this.#abort();
    const { round, attempt } = start;
    if (this.#state.paused || this.#o.dropsOut?.(round, attempt) === true) {
      await this.#request('decline', {
        run: start.run,
        round,
        attempt,
        reason: this.#state.paused ? 'paused' : 'dropout',
      }).catch(() => {});
      return;
    }
    const abort = new AbortController();
    this.#work = { round, attempt, abort };
    try {
      this.#set({ activity: { kind: 'preparing', round }, error: null });
      const before = this.#made;
      if (
        before !== null &&
        before.update.run === start.run &&
        before.update.round === round &&
        before.update.checkpoint === start.checkpoint
      ) {
        this.#made = { ...before, update: { ...before.update, attempt } };
      } else {
        const weights = await this.#roundModel(start, abort.signal);
        if (abort.signal.aborted) return;
        // Rounded for training, it is not the model that is named: that one is fetched when the round has ended.
        if (this.#o.keepModels && (movesBySteps(joined.plan) || joined.plan.downloadCodec === 'float32'))
          this.#keep(weights);
        // The end of the round before was not heard; what was acknowledged then has very likely counted.
        if (before !== null && (before.acknowledged || (await this.#wasCounted(before))))
          this.#counted(before);
        if (abort.signal.aborted) return;
        this.#made = null;
        const result = await trainRound({
          ...joined,
          residual: this.#residual?.run === start.run ? this.#residual.values : null,
          participant: this.#state.participant as string,
          start,
          weights: weights.weights,
          data: await this.#data.local.dataset(),
          host: this.#o.host,
          checksum: this.#o.checksum ?? crc32,
          signal: abort.signal,
          onEvaluating: () => {
            this.#set({ activity: { kind: 'evaluating', round } });
            this.#tellProgress({
              run: start.run,
              round,
              stage: 'evaluating',
              ...NO_EPOCH,
              step: 0,
              steps: 0,
            });
          },
          onTraining: (progress) => {
            if (abort.signal.aborted) return;
            this.#set({ activity: { kind: 'training', round, ...progress } });
            this.#tellProgress({
              run: start.run,
              round,
              stage: 'training',
              ...progress,
              loss: reportedLoss(progress.loss),
            });
          },
        });
        const { update, norm, residual } = result;
        this.#made = { update, norm, residual, acknowledged: false };
        this.#set({ speed: result.speed });
        if (result.evaluation !== null) this.#measured(round - 1, result.evaluation);
      }
      await this.#deliver(this.#made, abort.signal);
    } catch (thrown) {
      if (abort.signal.aborted) return;
      const code = thrown instanceof CoppiceError ? thrown.code : null;
      // After the next join the coordinator sends the round again; or it is over, and its end is being told.
      if (code === 'connection-lost') return;
      if (code === 'checkpoint-unknown') this.#rest();
      else await this.#trainingFailed(start, thrown);
    } finally {
      if (this.#work?.abort === abort) this.#work = null;
    }
  }

  /** The model that a round begins from; a large one is fetched, unless this device has it already. */
  async #roundModel({ run, round, ...sent }: RoundStart, signal: AbortSignal): Promise<SavedModel> {
    const { checkpoint, base, frame } = sent;
    const model = { round: round - 1, checkpoint, frame, ...(base === undefined ? {} : { base }) };
    const received = await this.#receive(run, model, {
      signal,
      onPiece: (done, of, bytes) => {
        if (signal.aborted) return;
        const received = Math.min(done * PIECE_BYTES, bytes);
        this.#set({ activity: { kind: 'receiving', round, received, bytes } });
        this.#traffic();
        this.#tellProgress({ run, round, stage: 'receiving', ...NO_EPOCH, step: done, steps: of });
      },
    });
    if (!signal.aborted) this.#set({ activity: { kind: 'preparing', round } });
    return received;
  }

  async #deliver(made: Made, signal: AbortSignal): Promise<void> {
    const { update, norm } = made;
    // Paused or left in the moment between the last batch and here.
    if (signal.aborted) return;
    const bytes = frameBytes(update.frame).byteLength;
    const { run, round } = update;
    this.#set({ activity: { kind: 'sending', round, sent: 0, bytes } });
    const onPiece = (done: number, of: number) => {
      if (signal.aborted) return;
      const sent = Math.min(done * PIECE_BYTES, bytes);
      this.#set({ activity: { kind: 'sending', round, sent, bytes } });
      this.#traffic();
      this.#tellProgress({ run, round, stage: 'sending', ...NO_EPOCH, step: done, steps: of });
    };
    for (let attempt = 1; !signal.aborted; attempt++) {
      let reply: Reply<UpValue<'update'>>;
      try {
        this.#record('update', update, norm);
        const { transport } = this.#o;
        reply = await sendUpdate((name, message) => transport.request(name, message), update, {
          signal,
          onPiece,
        });
        this.#traffic();
      } catch (thrown) {
        // The connection broke. After the next join the coordinator sends the round again, and the
        // update that is already made goes out then.
        if (thrown instanceof CoppiceError && thrown.code === 'connection-lost') return;
        if (signal.aborted) return;
        throw thrown;
      }
      if (reply.ok && this.#made === made) this.#made = { ...made, acknowledged: true };
      if (signal.aborted) return;
      if (reply.ok) {
        this.#set({ activity: { kind: 'delivered', round: update.round } });
        return;
      }
      if (reply.current !== undefined && this.#o.keepModels) await this.#keepForUse(run, reply.current);
      const error = CoppiceError.fromWire(reply.error);
      if (error.retry === 'join') {
        // The coordinator sends the round again after the join, and the update that is already made goes out then.
        this.#work = null;
        await this.#join().catch((thrown: unknown) => this.#failed(thrown));
        return;
      }
      if (error.retry === 'with-current-model') {
        this.#rest();
        this.#set({ error: reply.error });
        return;
      }
      if (error.retry !== 'later' || attempt === DELIVERY_ATTEMPTS) {
        // What was refused for what it is would be refused again: the next attempt trains anew.
        this.#made = null;
        throw error;
      }
    }
  }

  async #trainingFailed(start: RoundStart, thrown: unknown): Promise<void> {
    const error = CoppiceError.from(thrown);
    this.#rest();
    this.#set({ error: error.toWire() });
    const { run, round, attempt } = start;
    this.#failedAt = { run, round, attempt };
    await this.#request('decline', { run, round, attempt, reason: error.code }).catch(() => {});
  }

  #roundEnded(end: RoundEnd): void {
    if (end.run !== this.#state.joined?.run) return;
    if (this.#work !== null && this.#work.round === end.round && this.#work.attempt === end.attempt)
      this.#abort();
    if (end.outcome === 'committed') {
      const made = this.#made;
      if (made !== null && made.update.round === end.round && end.you === 'accepted') this.#counted(made);
      this.#made = null;
    }
    const outcome = { round: end.round, outcome: end.you, reason: end.reason };
    const failed = this.#failedAt;
    const ownFault = failed?.run === end.run && failed.round === end.round && failed.attempt === end.attempt;
    this.#set({
      lastRound: end,
      accepted: this.#state.accepted + (end.you === 'accepted' && end.outcome === 'committed' ? 1 : 0),
      outcomes: [...this.#state.outcomes, outcome].slice(-OUTCOMES_KEPT),
      ...(end.outcome === 'abandoned' && end.reason !== null && !ownFault ? { error: end.reason } : {}),
    });
    this.#rest();
    // The last model comes with no further round, so it is fetched for use.
    if (this.#o.keepModels && end.outcome === 'committed') {
      this.pull(end.run).then(
        (model) => this.#keep(model),
        () => {},
      );
    }
  }

  async #evaluate({ run, ...model }: Down<'evaluate'>): Promise<void> {
    const { round, checkpoint } = model;
    const joined = this.#state.joined;
    if (joined === null || joined.run !== run || this.#data === null || this.#state.participant === null)
      return;
    try {
      const { weights } = await this.#receive(run, model);
      const { evaluation } = holdOut(
        await this.#data.local.dataset(),
        joined.plan.evaluationShare,
        this.#state.participant,
      );
      if (evaluation === null || evaluation.count === 0) return;
      const description = { topology: joined.task.model, data: joined.task.data, loss: joined.task.loss };
      const metrics = await this.#o.host.use(description, (trainer) => {
        trainer.setWeights(weights);
        return trainer.evaluate(evaluation);
      });
      this.#measured(round, metrics);
      await this.#request('evaluation', { run, checkpoint, metrics: reportedMetrics(metrics) });
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** Out of the run, by one's own will or the coordinator's. */
  #out(): void {
    this.#wanted = null;
    this.#expecting();
    this.#abort();
    this.#closeData();
    this.#set({ joined: null, activity: { kind: 'idle' }, peers: null, paused: false });
  }

  // ---- small parts

  /** Whether an update counted of which neither acknowledgement nor round's end was heard: asked where it matters. */
  async #wasCounted({ update, residual }: Made): Promise<boolean> {
    if (residual === null) return false;
    const reply = await this.#request('update', { ...update, frame: travelling(frameBytes(update.frame)) });
    return reply.ok && reply.value.duplicate;
  }

  #counted({ update, residual }: Made): void {
    this.#residual = residual === null ? null : { run: update.run, values: residual };
  }

  /** What is going on when nothing is. */
  #rest(): void {
    const { joined, paused, runs } = this.#state;
    const status = runs.find((run) => run.id === joined?.run)?.status;
    const over = status === 'finished' || status === 'stopped' || status === 'failed';
    const activity: Activity =
      joined === null
        ? { kind: 'idle' }
        : over
          ? { kind: 'ended' }
          : paused
            ? { kind: 'paused' }
            : (this.#summary?.count ?? 0) === 0
              ? { kind: 'needs-data' }
              : { kind: 'waiting' };
    this.#set({ activity });
  }

  #abort(): void {
    this.#work?.abort.abort();
    this.#work = null;
  }

  async #declineWork(reason: 'paused' | ErrorCode): Promise<void> {
    const work = this.#work;
    const run = this.#state.joined?.run;
    this.#abort();
    if (work === null || run === undefined || this.#state.connection !== 'online') return;
    await this.#request('decline', { run, round: work.round, attempt: work.attempt, reason }).catch(() => {});
  }

  #measured(round: number, metrics: Metrics): void {
    const others = this.#state.localMetrics.filter((one) => one.round !== round);
    this.#set({ localMetrics: [...others, { round, metrics }] });
  }

  #keep(model: SavedModel): void {
    this.#first ??= model;
    if (this.#latest === null || model.round >= this.#latest.round) this.#latest = model;
    this.#set({ model: { round: this.#latest.round, checkpoint: this.#latest.checkpoint } });
  }

  /** A model that nothing but use waits for: a large one is kept when it is here. */
  async #keepForUse(run: string, model: Model): Promise<void> {
    const kept = this.#receive(run, model).then(
      (received) => this.#keep(received),
      () => {},
    );
    if (model.base !== undefined || !isHeaderAlone(frameBytes(model.frame))) await kept;
  }

  /**
   * A model's weights, whichever way it came. Where the steps begin from a model that is not here, the whole one is
   * asked for.
   *
   * @throws CoppiceError `frame-invalid`, `update-shape`, and what fetching a large one throws; `update-late` where
   *   the model is no longer the current one.
   */
  async #receive(run: string, model: Model, options?: PieceOptions): Promise<SavedModel> {
    const { round, checkpoint, base } = model;
    if (base === undefined) return { round, checkpoint, weights: await this.#whole(run, model, options) };
    // It may have come by itself in between.
    const known = this.#stepsFrom(run, checkpoint);
    if (known !== null) return { round, checkpoint, weights: known };
    const from = this.#stepsFrom(run, base);
    if (from !== null) return { round, checkpoint, weights: this.#stepped(run, model, from) };
    const whole = await this.#pull({ run });
    if (whole.checkpoint === checkpoint && whole.base === undefined)
      return this.#receive(run, whole, options);
    throw new CoppiceError('update-late', 'The model of this round is no longer the current one.');
  }

  #stepsFrom(run: string, checkpoint: string): Float32Array | null {
    const base = this.#base;
    return base?.run === run && base.checkpoint === checkpoint ? base.weights : null;
  }

  /** The weights that steps lead to. */
  #stepped(run: string, { checkpoint, frame }: Model, from: Float32Array): Float32Array {
    const { joined } = this.#state;
    if (joined?.run !== run)
      throw new CoppiceError('run-state', 'Steps can be read only after joining their run.');
    const { layout, plan } = joined;
    const codec = plan.downloadCodec;
    const form = { layoutHash: layoutHash(layout), ...modelSize(layout) };
    const { payload } = decodeFrame(frameBytes(frame), { kind: 'steps', codec, ...form }, this.#o.checksum);
    const weights = takeSteps(codec, payload, from, layout);
    if (weightsHash(weights) !== checkpoint) {
      throw new CoppiceError('frame-invalid', 'The steps that came lead to another model than they should.');
    }
    this.#base = { run, checkpoint, weights };
    return weights;
  }

  /**
   * The weights of a model that came whole; where only its header came, the rest is fetched, unless this device has
   * the model already. How a model of a run that was not joined must be laid out is not known, so it is held to the
   * name that it came by.
   */
  async #whole(
    run: string,
    { checkpoint, frame }: Model,
    options: PieceOptions | undefined,
  ): Promise<Float32Array> {
    const { joined } = this.#state;
    const layout = joined?.run === run ? joined.layout : null;
    const form =
      layout === null
        ? frameLayout(frameBytes(frame))
        : { layoutHash: layoutHash(layout), ...modelSize(layout) };
    const expected = { kind: 'weights', ...form } as const;
    if (isHeaderAlone(frameBytes(frame)) && decodeHeader(frameBytes(frame), expected).codec === 'float32') {
      const known = this.#latest?.checkpoint === checkpoint ? this.#latest.weights : null;
      const here = known ?? this.#stepsFrom(run, checkpoint);
      if (here !== null) return here;
    }
    const sent = decodeFrame(
      await this.#models.fetch(run, { checkpoint, frame }, expected, options),
      expected,
      this.#o.checksum,
    );
    const weights =
      layout === null || sent.codec === 'float32'
        ? readFloat32Payload(sent)
        : toFloat32(payloadValues(sent, layout));
    if (joined !== null && layout !== null) {
      if (movesBySteps(joined.plan)) this.#base = { run, checkpoint, weights };
    } else if (weightsHash(weights) !== checkpoint) {
      throw new CoppiceError(
        'frame-invalid',
        'The model was damaged on its way here. Ask again to have it sent anew.',
      );
    }
    return weights;
  }

  #tellProgress(progress: Up<'progress'>): void {
    const now = this.#o.clock.elapsed();
    if (this.#toldProgressAt !== null && now - this.#toldProgressAt < PROGRESS_INTERVAL) return;
    this.#toldProgressAt = now;
    this.#record('progress', progress);
    this.#o.transport.send('progress', progress);
  }

  async #request<N extends UpName>(name: N, message: Up<N>, norm?: number): Promise<Reply<UpValue<N>>> {
    this.#record(name, message, norm);
    try {
      return await this.#o.transport.request(name, message);
    } finally {
      this.#traffic();
    }
  }

  /** The outbound log: every message that leaves goes through here. */
  #record<N extends UpName>(name: N, message: Up<N>, norm?: number): void {
    const { frame, ...fields } = message as Up<N> & { frame?: Uint8Array | ArrayBuffer };
    const bytes = JSON.stringify(fields).length + (frame === undefined ? 0 : frameBytes(frame).byteLength);
    const record = { at: this.#o.clock.now(), name, bytes, fields, ...(norm === undefined ? {} : { norm }) };
    this.#set({ outbound: [...this.#state.outbound, record].slice(-OUTBOUND_KEPT) });
    this.#traffic();
  }

  #traffic(): void {
    const { sent, received } = this.#o.transport.traffic;
    this.#set({ sent, received });
  }

  #failed(thrown: unknown): void {
    this.#set({ error: CoppiceError.from(thrown).toWire() satisfies WireError });
  }

  #set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }
}
