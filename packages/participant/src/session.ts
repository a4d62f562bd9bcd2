import { payloadValues, takeSteps, toFloat32 } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  CoppiceError,
  type Down,
  type DownName,
  decodeFrame,
  type ErrorCode,
  frameBytes,
  type Join,
  layoutHash,
  type Metrics,
  type Model,
  modelSize,
  movesBySteps,
  type Reply,
  type RoundEnd,
  type RoundStart,
  readFloat32Payload,
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
  readonly device: Join['device'];
  /** Named in `join` before a trainer exists. */
  readonly backend: string;
  /** Whether to keep the first and newest global weights, to ask the model with. Costs two models of memory. */
  readonly keepModels: boolean;
  /** Whether to drop out of a round, for simulations; drawn per round, before training. */
  readonly dropsOut?: (round: number) => boolean;
}

const OUTBOUND_KEPT = 100;
const OUTCOMES_KEPT = 200;
/** How often an update that was damaged on the way is sent, before the round is declined. */
const DELIVERY_ATTEMPTS = 3;
/** How often progress is told to the coordinator, at most. */
const PROGRESS_INTERVAL = 500;

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
  #data: { task: string; local: LocalData; stop: () => void } | null = null;
  #summary: DataSummary | null = null;
  #work: { round: number; attempt: number; abort: AbortController } | null = null;
  /** The last update made, to be sent again rather than trained again. */
  #made: Made | null = null;
  /** The last model that was received whole or by steps, where the run's models may come as steps. */
  #base: { run: string; checkpoint: string; weights: Float32Array } | null = null;
  /** What the codec left out of the last update that counted: it is added to the next. */
  #residual: { run: string; values: Float32Array } | null = null;
  #first: SavedModel | null = null;
  #latest: SavedModel | null = null;
  #toldProgressAt = 0;

  constructor(options: SessionOptions) {
    this.#o = options;
    options.host.onBackend((backend) => this.#set({ backend }));
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
        this.#abort();
        this.#set({ connection: 'refused', error, activity: { kind: 'idle' } });
      },
      onMessage: (name, message) => this.#received(name, message),
    });
  }

  async join(run: string): Promise<void> {
    this.#wanted = run;
    await this.#join();
  }

  async leave(): Promise<void> {
    const run = this.#wanted;
    this.#wanted = null;
    this.#abort();
    this.#closeData();
    this.#set({ joined: null, activity: { kind: 'idle' }, peers: null, paused: false, error: null });
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
    const has = this.#base?.run === run ? this.#base.checkpoint : undefined;
    return this.#decode(run, await this.#pull({ run, ...(has === undefined ? {} : { has }) }));
  }

  async #pull(message: Up<'pull'>): Promise<Model> {
    const reply = await this.#request('pull', message);
    if (!reply.ok) throw CoppiceError.fromWire(reply.error);
    return reply.value;
  }

  /** As `#decode`; where the steps begin from a model that is not here, the whole one is fetched. */
  async #receive(run: string, model: Model): Promise<SavedModel> {
    if (model.base === undefined) return this.#decode(run, model);
    // It may have come by itself in between.
    const known = this.#stepsFrom(run, model.checkpoint);
    if (known !== null) return { round: model.round, checkpoint: model.checkpoint, weights: known };
    if (this.#stepsFrom(run, model.base) !== null) return this.#decode(run, model);
    const whole = await this.#pull({ run });
    if (whole.checkpoint === model.checkpoint) return this.#decode(run, whole);
    throw new CoppiceError('update-late', 'The model of this round is no longer the current one.');
  }

  #stepsFrom(run: string, checkpoint: string): Float32Array | null {
    const base = this.#base;
    return base?.run === run && base.checkpoint === checkpoint ? base.weights : null;
  }

  close(): void {
    this.#wanted = null;
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
      has: this.#base?.run === run ? this.#base.checkpoint : null,
    });
    if (!reply.ok) {
      this.#wanted = null;
      this.#set({ joined: null, activity: { kind: reply.error.code === 'run-ended' ? 'ended' : 'idle' } });
      throw CoppiceError.fromWire(reply.error);
    }
    const { task, plan, layout } = reply.value;
    this.#set({ joined: { run, task, plan, layout }, error: null });
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
      notice: (error) => this.#set({ error }),
      'round-start': (start) => void this.#round(start),
      'round-end': (end) => this.#roundEnded(end),
      evaluate: (ask) => void this.#evaluate(ask),
    };
    handlers[name](message);
  }

  async #round(start: RoundStart): Promise<void> {
    const joined = this.#state.joined;
    if (joined === null || joined.run !== start.run || this.#data === null) return;
    if (this.#work?.round === start.round && this.#work.attempt === start.attempt) return;
    this.#abort();
    const { round, attempt } = start;
    if (this.#state.paused || this.#o.dropsOut?.(round) === true) {
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
      const { checkpoint, base, frame } = start;
      const model = { round: round - 1, checkpoint, frame, ...(base === undefined ? {} : { base }) };
      const weights = await this.#receive(start.run, model);
      if (abort.signal.aborted) return;
      // Rounded for training, it is not the model that is named: that one is fetched when the round has ended.
      if (this.#o.keepModels && (movesBySteps(joined.plan) || joined.plan.downloadCodec === 'float32'))
        this.#keep(weights);
      const before = this.#made;
      if (
        before !== null &&
        before.update.run === start.run &&
        before.update.round === round &&
        before.update.checkpoint === start.checkpoint
      ) {
        this.#made = { ...before, update: { ...before.update, attempt } };
      } else {
        // The end of the round before was not heard; what was acknowledged then has very likely counted.
        if (before?.acknowledged) this.#counted(before);
        this.#made = null;
        const result = await trainRound({
          ...joined,
          residual: this.#residual?.run === start.run ? this.#residual.values : null,
          participant: this.#state.participant as string,
          start,
          weights: weights.weights,
          data: await this.#data.local.dataset(),
          host: this.#o.host,
          signal: abort.signal,
          onEvaluating: () => {
            this.#set({ activity: { kind: 'evaluating', round } });
            this.#tellProgress({
              run: start.run,
              round,
              stage: 'evaluating',
              epoch: 0,
              epochs: 0,
              step: 0,
              steps: 0,
              loss: null,
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
        this.#measured(round - 1, result.evaluation);
      }
      await this.#deliver(this.#made, abort.signal);
    } catch (thrown) {
      if (abort.signal.aborted) return;
      await this.#trainingFailed(start, thrown);
    } finally {
      if (this.#work?.abort === abort) this.#work = null;
    }
  }

  async #deliver(made: Made, signal: AbortSignal): Promise<void> {
    const { update, norm } = made;
    // Paused or left in the moment between the last batch and here.
    if (signal.aborted) return;
    const bytes = frameBytes(update.frame).byteLength;
    this.#set({ activity: { kind: 'sending', round: update.round, bytes } });
    for (let attempt = 1; !signal.aborted; attempt++) {
      let reply: Reply<UpValue<'update'>>;
      try {
        reply = await this.#request('update', update, norm);
      } catch (thrown) {
        // The connection broke. After the next join the coordinator sends the round again, and the
        // update that is already made goes out then.
        if (thrown instanceof CoppiceError && thrown.code === 'connection-lost') return;
        throw thrown;
      }
      if (reply.ok && this.#made === made) this.#made = { ...made, acknowledged: true };
      if (signal.aborted) return;
      if (reply.ok) {
        this.#set({ activity: { kind: 'delivered', round: update.round } });
        return;
      }
      if (reply.current !== undefined && this.#o.keepModels)
        this.#keep(this.#decode(update.run, reply.current));
      const error = CoppiceError.fromWire(reply.error);
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
    this.#set({
      lastRound: end,
      accepted: this.#state.accepted + (end.you === 'accepted' && end.outcome === 'committed' ? 1 : 0),
      outcomes: [...this.#state.outcomes, outcome].slice(-OUTCOMES_KEPT),
      ...(end.outcome === 'abandoned' && end.reason !== null ? { error: end.reason } : {}),
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
      if (evaluation.count === 0) return;
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

  // ---- small parts

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

  /** @throws CoppiceError `frame-invalid`, `update-shape`; `run-state` where the model that steps begin from is not here. */
  #decode(run: string, { round, checkpoint, base, frame }: Model): SavedModel {
    const { layout, plan } = this.#state.joined ?? {};
    if (layout === undefined || plan === undefined)
      throw new CoppiceError('run-state', 'A model can be read only after joining its run.');
    const model = { layoutHash: layoutHash(layout), ...modelSize(layout) };
    const bytes = frameBytes(frame);
    let weights: Float32Array;
    if (base === undefined) {
      const sent = decodeFrame(bytes, { kind: 'weights', ...model });
      weights = sent.codec === 'float32' ? readFloat32Payload(sent) : toFloat32(payloadValues(sent, layout));
    } else {
      const from = this.#stepsFrom(run, base);
      if (from === null)
        throw new CoppiceError('run-state', 'The model that these steps begin from is not here.');
      const codec = plan.downloadCodec;
      const { payload } = decodeFrame(bytes, { kind: 'steps', codec, ...model });
      weights = takeSteps(codec, payload, from, layout);
      if (weightsHash(weights) !== checkpoint)
        throw new CoppiceError(
          'frame-invalid',
          'The steps that came lead to another model than they should.',
        );
    }
    if (movesBySteps(plan)) this.#base = { run, checkpoint, weights };
    return { round, checkpoint, weights };
  }

  #tellProgress(progress: Up<'progress'>): void {
    const now = this.#o.clock.now();
    if (now - this.#toldProgressAt < PROGRESS_INTERVAL) return;
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
