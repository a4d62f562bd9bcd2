import type { Clock } from '@coppice/ports';
import {
  ANSWER_TIMEOUT,
  type Ask,
  type Checksum,
  CoppiceError,
  crc32,
  type Decline,
  type Down,
  type DownName,
  frameBytes,
  type Join,
  type Joined,
  MAX_WATCHED_RUNS,
  type Metrics,
  movesBySteps,
  PIECE_BYTES,
  type Reply,
  type RoundEnd,
  type RunSummary,
  type Up,
  type UpName,
  type UpValue,
  type Welcome,
} from '@coppice/protocol';
import { isOver, restingActivity } from './activity.ts';
import { Contributions, type Made, type Question } from './contributions.ts';
import { deliver } from './delivery.ts';
import type { KeptParcels } from './kept-parcels.ts';
import type { LocalData, OpenLocalData } from './local-data.ts';
import type { LocalState } from './local-state.ts';
import { Models, type Received } from './models.ts';
import { OutboundLog } from './outbound-log.ts';
import { OwnData } from './own-data.ts';
import { reportedLoss } from './reported.ts';
import type { SavedModel, Session, SessionState } from './session-state.ts';
import { answerEvaluate, answerTrain } from './train.ts';
import type { TrainerHost } from './trainer-host.ts';
import type { Transport } from './transport.ts';

export interface SessionOptions {
  readonly transport: Transport;
  readonly host: TrainerHost;
  readonly openData: OpenLocalData;
  /** State that this device keeps between rounds. */
  readonly localState: LocalState;
  /** Keeps frozen tensors of models beyond the session; left out, each session fetches them once. */
  readonly parcels?: KeptParcels;
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

const OUTCOMES_KEPT = 200;
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

/** A run as it was joined. */
type JoinedRun = Pick<Joined, 'task' | 'plan' | 'layout' | 'answers'> & { readonly run: string };

/** A question to train that is being answered. */
interface Work {
  readonly ask: Ask;
  readonly abort: AbortController;
}

/** Connects the wire to the parts that answer: hands messages on, and tells of what happens in `state`. */
class ParticipantSession implements Session {
  readonly #o: SessionOptions;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #state: SessionState = initialState;
  /** The run to be in, through every reconnection. */
  #wanted: string | null = null;
  /** Runs that the program wants to hear of beside the one that it joined; `null`: of none, and of none that comes. */
  #watched: readonly string[] | null = null;
  /** Shown at each join until one was granted: from then on the run knows this participant. */
  #invitation: string | null = null;
  #joined: JoinedRun | null = null;
  /** The run of which the coordinator said that it is over. */
  #ended: string | null = null;
  readonly #data: OwnData;
  readonly #models: Models;
  readonly #contributions: Contributions;
  readonly #outbound = new OutboundLog();
  #work: Work | null = null;
  /** The attempt that this device could not take part in: its own error says more than the outcome of the round. */
  #failedAt: Pick<Ask, 'run' | 'round' | 'attempt'> | null = null;
  #toldProgressAt: number | null = null;
  /** Stops the wait for a word of the run. */
  #expecting: () => void = () => {};

  constructor(options: SessionOptions) {
    this.#o = options;
    this.#data = new OwnData(options.openData);
    this.#models = new Models({
      pull: async (message) => contentOf(await this.#request('pull', message)),
      request: (name, message) => this.#o.transport.request(name, message),
      checksum: options.checksum,
      kept: options.parcels,
      joined: () => this.#joined,
    });
    this.#contributions = new Contributions(options.localState, (run, tickets) =>
      this.#request('counted', { run, tickets }),
    );
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
    // An error that is still shown is about an earlier try.
    this.#set({ error: null });
    await this.#join();
  }

  async watch(runs: readonly string[]): Promise<void> {
    this.#watched = runs.slice(0, MAX_WATCHED_RUNS);
    if (this.#state.connection !== 'online') return;
    const listed = await this.#listed(this.#watched);
    const joined = this.#state.runs.filter(({ id }) => id === this.#joined?.run);
    this.#set({ runs: withRuns(joined, listed) });
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
    const work = this.#work;
    this.#abort();
    if (work !== null && this.#joined !== null && this.#state.connection === 'online')
      await this.#decline(work.ask, 'paused');
    await this.#tellAvailability();
  }

  async resume(): Promise<void> {
    this.#set({ paused: false });
    this.#rest();
    await this.#tellAvailability();
  }

  async dataChanged(): Promise<void> {
    if (!(await this.#data.count())) return;
    if (this.#work === null) this.#rest();
    await this.#tellAvailability();
  }

  models(): { first: SavedModel | null; latest: SavedModel | null } {
    const { first, latest } = this.#models;
    return { first, latest };
  }

  pull(run: string): Promise<SavedModel> {
    return this.#models.pull(run);
  }

  close(): void {
    this.#wanted = null;
    this.#expecting();
    this.#abort();
    this.#data.close();
    this.#o.transport.close();
  }

  // ---- connection

  async #welcomed(welcome: Welcome): Promise<void> {
    const { operator, participant, now } = welcome;
    let { runs } = welcome;
    if (this.#watched !== null) {
      try {
        runs = await this.#listed(this.#watched);
      } catch (thrown) {
        // The next connection asks again.
        if (thrown instanceof CoppiceError && thrown.code === 'connection-lost') return;
        this.#failed(thrown);
      }
    }
    this.#set({
      connection: 'online',
      operator,
      participant,
      clockOffset: now - this.#o.clock.now(),
      runs,
      error: null,
    });
    this.#forgetEnded().catch(() => {});
    if (this.#wanted !== null) await this.#join().catch((thrown: unknown) => this.#failed(thrown));
  }

  /**
   * Asks to be told of runs and of all that come.
   *
   * @returns those of them that there are, and all that are not over.
   * @throws CoppiceError `connection-lost`; the coordinator's refusal.
   */
  async #listed(runs: readonly string[]): Promise<RunSummary[]> {
    return contentOf(await this.#request('watch', { runs: [...runs], arrivals: true })).runs;
  }

  /** Removes the kept state of runs that ended while this device was away, and that it did not join again. */
  async #forgetEnded(): Promise<void> {
    const told = new Set(this.#state.runs.map(({ id }) => id));
    const kept = await this.#contributions.runs();
    const unsaid = kept.filter((run) => !told.has(run) && run !== this.#wanted);
    const watched = this.#watched ?? [];
    const runs = [...watched, ...unsaid].slice(0, MAX_WATCHED_RUNS);
    const reply =
      runs.length === watched.length
        ? null
        : await this.#request('watch', { runs, arrivals: this.#watched !== null });
    const now = reply?.ok === true ? reply.value.runs : this.#state.runs;
    const over = new Set(now.filter(({ status }) => isOver(status)).map(({ id }) => id));
    this.#forget((run) => over.has(run));
  }

  /** @throws CoppiceError the refusal of the coordinator, or the failure of opening the data. */
  async #join(): Promise<void> {
    const run = this.#wanted;
    if (run === null || this.#state.connection !== 'online') return;
    const before = this.#joined?.run === run ? this.#joined.task.id : undefined;
    const task = this.#state.runs.find((one) => one.id === run)?.task ?? before;
    const reply = await this.#request('join', {
      run,
      device: this.#o.device,
      backend: this.#state.backend ?? this.#o.backend,
      examples: this.#data.examplesOf(task),
      speed: this.#state.speed,
      paused: this.#state.paused,
      ...(this.#invitation === null ? {} : { invitation: this.#invitation }),
      has: this.#models.baseOf(run),
    });
    if (!reply.ok) {
      const ended = reply.error.code === 'run-ended';
      this.#wanted = null;
      this.#joined = null;
      this.#expecting();
      if (ended) this.#forget((one) => one === run);
      this.#set({ joined: null, activity: { kind: ended ? 'ended' : 'idle' } });
      throw CoppiceError.fromWire(reply.error);
    }
    this.#invitation = null;
    const { run: summary, plan, layout, answers, checkpoint } = reply.value;
    this.#joined = { run, task: reply.value.task, plan, layout, answers };
    this.#ended = null;
    this.#set({
      joined: { run, task: reply.value.task, plan, layout },
      runs: withRuns(this.#state.runs, [summary]),
      error: null,
    });
    this.#heard(run);
    // Before any answer to a question that follows the join: calls are done in order.
    this.#contributions.settle(run, 'all').catch((thrown: unknown) => this.#failed(thrown));
    const opened = await this.#data.open(reply.value.task);
    if (this.#work === null) this.#rest();
    if (opened) await this.#tellAvailability();
    if (this.#o.keepModels && this.#models.latest?.checkpoint !== checkpoint)
      this.#keep(await this.pull(run));
  }

  async #tellAvailability(): Promise<void> {
    const run = this.#joined?.run;
    if (run === undefined || this.#state.connection !== 'online') return;
    const message = { run, paused: this.#state.paused, examples: this.#data.examples };
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
        this.#set({
          runs: withRuns(this.#state.runs, [run]),
          clockOffset: now - this.#o.clock.now(),
        });
        if (isOver(run.status) && run.id === this.#joined?.run && this.#work === null) this.#rest();
      },
      peers: (peers) => {
        if (peers.run === this.#joined?.run) this.#set({ peers });
      },
      notice: ({ run, ...error }) => {
        if (run !== undefined && run === this.#wanted) this.#out();
        this.#set({ error });
      },
      ask: (ask) => void this.#asked(ask),
      'round-end': (end) => this.#roundEnded(end),
      'run-end': ({ run }) => this.#runEnded(run),
    };
    handlers[name](message);
    const about = message as { run?: string | { id: string } };
    this.#heard(typeof about.run === 'object' ? about.run.id : about.run);
  }

  /**
   * Waits for the next word of the run. A run tells its participants of every change. Where nothing comes for long, a
   * message may have been lost: joining again brings the open question once more, or says that the run is over.
   */
  #heard(run: string | undefined): void {
    if (run === undefined || run !== this.#wanted) return;
    this.#expecting();
    if (run === this.#ended) return;
    // Those who fell silent together do not all ask together: the answer to the first is heard by all.
    const share = Number.parseInt(this.#state.participant?.slice(0, 8) ?? '', 16) / 2 ** 32 || 0;
    this.#expecting = this.#o.clock.setTimer(ANSWER_TIMEOUT * (1 + share), () => {
      if (this.#work === null) this.#join().catch((thrown: unknown) => this.#failed(thrown));
      this.#heard(run);
    });
  }

  #roundEnded(end: RoundEnd): void {
    if (end.run !== this.#joined?.run) return;
    const ask = this.#work?.ask;
    if (ask?.round === end.round && ask.attempt === end.attempt) this.#abort();
    this.#contributions.roundEnded(end).catch((thrown: unknown) => this.#failed(thrown));
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
    // The last model comes with no further question, so it is fetched for use.
    if (end.outcome === 'committed') this.#keepCurrent(end.run);
  }

  /** Takes the end of a run. It stays joined: its model can still be pulled. */
  #runEnded(run: string): void {
    this.#forget((one) => one === run);
    if (run !== this.#wanted) return;
    this.#ended = run;
    this.#abort();
    if (this.#joined?.run === run) this.#rest();
  }

  async #asked(ask: Ask): Promise<void> {
    if (this.#joined?.run !== ask.run) return;
    if (ask.kind === 'train') await this.#train(ask, this.#joined);
    else if (ask.kind === 'evaluate') await this.#evaluate(ask, this.#joined);
    else await this.#decline(ask, 'backend-unavailable');
  }

  // ---- training

  async #train(ask: Ask, joined: JoinedRun): Promise<void> {
    if (this.#work?.ask.ticket === ask.ticket) return;
    this.#abort();
    const { round, attempt } = ask;
    if (this.#state.paused || this.#o.dropsOut?.(round, attempt) === true) {
      await this.#decline(ask, this.#state.paused ? 'paused' : 'dropout');
      return;
    }
    const abort = new AbortController();
    const { signal } = abort;
    this.#work = { ask, abort };
    try {
      this.#set({ activity: { kind: 'preparing', round }, error: null });
      const [model] = ask.parcels;
      const question = { run: ask.run, ticket: ask.ticket, round, attempt, model: model?.hash ?? '' };
      const made = (await this.#contributions.made(question)) ?? (await this.#make(ask, joined, signal));
      if (made === null || signal.aborted) return;
      // Kept before it is sent: once it is, it may count.
      await this.#contributions.stage(question, made);
      if (signal.aborted) return;
      await this.#deliver(question, made, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const code = thrown instanceof CoppiceError ? thrown.code : null;
      // After the next join the coordinator asks again; or the round is over, and its end is being told.
      if (code === 'connection-lost') return;
      if (code === 'checkpoint-unknown') this.#rest();
      else await this.#trainingFailed(ask, thrown);
    } finally {
      if (this.#work?.abort === abort) this.#work = null;
    }
  }

  /** An answer, from parcels and training; `null` where the work was stopped. */
  async #make(ask: Ask, joined: JoinedRun, signal: AbortSignal): Promise<Made | null> {
    const { run, round, ticket } = ask;
    const { model, given } = await this.#receive(ask, round - 1, signal);
    if (signal.aborted) return null;
    // Rounded for training, it is not the model that is named: that one is fetched when the round has ended.
    if (this.#o.keepModels && (movesBySteps(joined.plan) || joined.plan.downloadCodec === 'float32'))
      this.#keep(model);
    // The end of the round before may not have been heard.
    await this.#contributions.settle(run, 'staged');
    const kept = await this.#contributions.current(run);
    const data = await this.#data.local();
    if (signal.aborted || data === null) return null;
    const result = await answerTrain({
      task: joined.task,
      plan: joined.plan,
      layout: joined.answers.train,
      participant: this.#state.participant as string,
      ask,
      weights: model.weights,
      given,
      kept,
      data: await data.dataset(),
      host: this.#o.host,
      checksum: this.#o.checksum ?? crc32,
      elapsed: () => this.#o.clock.elapsed(),
      signal,
      onEvaluating: () => {
        this.#set({ activity: { kind: 'evaluating', round } });
        this.#tellProgress({ run, ticket, stage: 'evaluating', ...NO_EPOCH, step: 0, steps: 0 });
      },
      onTraining: (progress) => {
        if (signal.aborted) return;
        this.#set({ activity: { kind: 'training', round, ...progress } });
        const loss = reportedLoss(progress.loss);
        this.#tellProgress({ run, ticket, stage: 'training', ...progress, loss });
      },
    });
    this.#set({ speed: result.speed });
    if (result.evaluation !== null) this.#measured(round - 1, result.evaluation);
    return { answer: { ...result.answer, norm: result.norm }, kept: result.kept };
  }

  /** The parcels of a question; large ones are fetched, unless this device has them already. */
  async #receive(ask: Ask, madeBy: number, signal: AbortSignal): Promise<Received> {
    const { run, round, ticket } = ask;
    const received = await this.#models.receive(ask, madeBy, {
      signal,
      onPiece: (done, of, bytes) => {
        if (signal.aborted) return;
        const received = Math.min(done * PIECE_BYTES, bytes);
        this.#set({ activity: { kind: 'receiving', round, received, bytes } });
        this.#traffic();
        this.#tellProgress({ run, ticket, stage: 'receiving', ...NO_EPOCH, step: done, steps: of });
      },
    });
    if (!signal.aborted) this.#set({ activity: { kind: 'preparing', round } });
    return received;
  }

  async #deliver(question: Question, { answer }: Made, signal: AbortSignal): Promise<void> {
    const { run, ticket, round } = question;
    const { norm, ...content } = answer;
    const bytes = frameBytes(answer.frame).byteLength;
    const message = { run, ticket, ...content };
    this.#set({ activity: { kind: 'sending', round, sent: 0, bytes } });
    const refused = await deliver(message, {
      request: (name, message) => this.#o.transport.request(name, message),
      clock: this.#o.clock,
      signal,
      onSending: () => this.#record('answer', message, norm),
      onPiece: (done, of) => {
        if (signal.aborted) return;
        const sent = Math.min(done * PIECE_BYTES, bytes);
        this.#set({ activity: { kind: 'sending', round, sent, bytes } });
        this.#traffic();
        this.#tellProgress({ run, ticket, stage: 'sending', ...NO_EPOCH, step: done, steps: of });
      },
    });
    this.#traffic();
    if (signal.aborted) return;
    if (refused === null) {
      this.#set({ activity: { kind: 'delivered', round } });
    } else if (refused.retry === 'join') {
      // The coordinator asks again after the join, and the answer that is already made goes out then.
      this.#work = null;
      await this.#join().catch((thrown: unknown) => this.#failed(thrown));
    } else if (refused.retry === 'with-current-model') {
      this.#rest();
      this.#failed(refused);
      this.#keepCurrent(run);
    } else {
      // The same answer would be refused again: the next attempt trains anew.
      await this.#contributions.refused(question);
      throw refused;
    }
  }

  async #trainingFailed(ask: Ask, thrown: unknown): Promise<void> {
    const error = CoppiceError.from(thrown);
    this.#rest();
    this.#failed(error);
    const { run, round, attempt } = ask;
    this.#failedAt = { run, round, attempt };
    await this.#decline(ask, error.toWire().code);
  }

  // ---- measuring

  async #evaluate(ask: Ask, joined: JoinedRun): Promise<void> {
    const { run, ticket, round } = ask;
    try {
      const { model } = await this.#models.receive(ask, round);
      const data: LocalData | null = await this.#data.local();
      if (data === null || this.#state.participant === null) return;
      const made = await answerEvaluate({
        task: joined.task,
        plan: joined.plan,
        layout: joined.answers.evaluate,
        participant: this.#state.participant,
        weights: model.weights,
        data: await data.dataset(),
        host: this.#o.host,
        checksum: this.#o.checksum ?? crc32,
      });
      if (made === null) return await this.#decline(ask, 'data-empty');
      if (made.evaluation !== null) this.#measured(round, made.evaluation);
      const message = { run, ticket, ...made.answer };
      // Measures that come too late are no matter to this device.
      await deliver(message, {
        request: (name, message) => this.#o.transport.request(name, message),
        clock: this.#o.clock,
        onSending: () => this.#record('answer', message),
      });
      this.#traffic();
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      this.#failed(error);
      if (error.code !== 'connection-lost') await this.#decline(ask, error.toWire().code);
    }
  }

  // ---- small parts

  /** Takes this device out of the run, by its own will or the coordinator's. */
  #out(): void {
    this.#wanted = null;
    this.#joined = null;
    this.#expecting();
    this.#abort();
    this.#data.close();
    this.#set({ joined: null, activity: { kind: 'idle' }, peers: null, paused: false });
  }

  /** Sets the activity between two questions. */
  #rest(): void {
    const { paused, runs } = this.#state;
    const { examples } = this.#data;
    const run = this.#joined?.run ?? null;
    this.#set({ activity: restingActivity({ run, runs, ended: this.#ended, paused, examples }) });
  }

  #abort(): void {
    this.#work?.abort.abort();
    this.#work = null;
  }

  async #decline({ run, ticket }: Pick<Ask, 'run' | 'ticket'>, reason: Decline['reason']): Promise<void> {
    await this.#request('decline', { run, ticket, reason }).catch(() => {});
  }

  #measured(round: number, metrics: Metrics): void {
    const others = this.#state.localMetrics.filter((one) => one.round !== round);
    this.#set({ localMetrics: [...others, { round, metrics }] });
  }

  #keep(model: SavedModel): void {
    this.#models.keep(model);
    const { latest } = this.#models;
    this.#set({ model: latest && { round: latest.round, checkpoint: latest.checkpoint } });
  }

  /** Fetches the current model for use, where models are kept; nothing waits for it. */
  #keepCurrent(run: string): void {
    if (!this.#o.keepModels) return;
    this.pull(run).then(
      (model) => this.#keep(model),
      () => {},
    );
  }

  /** Removes the kept state of runs that are over. It costs room, nothing else, where that fails. */
  #forget(over: (run: string) => boolean): void {
    this.#contributions.forget(over).catch(() => {});
  }

  #tellProgress(progress: Up<'progress'>): void {
    const now = this.#o.clock.elapsed();
    if (this.#toldProgressAt !== null && now - this.#toldProgressAt < PROGRESS_INTERVAL) return;
    this.#toldProgressAt = now;
    this.#record('progress', progress);
    this.#o.transport.send('progress', progress);
  }

  async #request<N extends UpName>(name: N, message: Up<N>): Promise<Reply<UpValue<N>>> {
    this.#record(name, message);
    try {
      return await this.#o.transport.request(name, message);
    } finally {
      this.#traffic();
    }
  }

  /** Notes a message in the outbound log: every one that leaves is. */
  #record<N extends UpName>(name: N, message: Up<N>, norm?: number): void {
    this.#outbound.add(name, message, { at: this.#o.clock.now(), norm });
    this.#set({ outbound: this.#outbound.records });
    this.#traffic();
  }

  #traffic(): void {
    const { sent, received } = this.#o.transport.traffic;
    this.#set({ sent, received });
  }

  #failed(thrown: unknown): void {
    this.#set({ error: CoppiceError.from(thrown).toWire() });
  }

  #set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

/** Runs with newer words of some of them, and with those that came. */
function withRuns(runs: readonly RunSummary[], newer: readonly RunSummary[]): RunSummary[] {
  const told = new Set(newer.map(({ id }) => id));
  return [...newer, ...runs.filter(({ id }) => !told.has(id))].sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** The content of an answer. @throws CoppiceError its refusal. */
function contentOf<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw CoppiceError.fromWire(reply.error);
}
