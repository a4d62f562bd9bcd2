import type { Clock } from '@coppice/ports';
import {
  type Ask,
  type Checksum,
  CoppiceError,
  crc32,
  type Down,
  type DownName,
  type Join,
  type Welcome,
  type WireError,
} from '@coppice/protocol';
import { isOver } from './activity.ts';
import { Contributions } from './contributions.ts';
import type { KeptParcels } from './kept-parcels.ts';
import type { OpenLocalData } from './local-data.ts';
import type { LocalState } from './local-state.ts';
import { Models } from './models.ts';
import { OwnData } from './own-data.ts';
import { ParcelDownload } from './parcel-download.ts';
import type { ParcelSource } from './parcel-source.ts';
import { Agreeing } from './session/agreeing.ts';
import { CurrentWork } from './session/current-work.ts';
import { decline } from './session/decline.ts';
import { KeptModels } from './session/kept-models.ts';
import { contentOf, Line } from './session/line.ts';
import { Measuring } from './session/measuring.ts';
import { Membership } from './session/membership.ts';
import type { MonitorTerms } from './session/monitored-task.ts';
import { Monitoring } from './session/monitoring.ts';
import { Progress } from './session/progress.ts';
import { RunList } from './session/run-list.ts';
import { StateStore } from './session/state-store.ts';
import { Training } from './session/training.ts';
import type { SavedModel, Session, SessionState } from './session-state.ts';
import type { TrainerHost } from './trainer-host.ts';
import type { Transport } from './transport.ts';
import type { KeptInputs } from './watch/kept-inputs.ts';
import type { KeptMonitors } from './watch/kept-monitors.ts';
import { memoryInputs } from './watch/memory-inputs.ts';
import type { ObservedPrediction } from './watch/observation.ts';
import type { TaskSource } from './watch/task-source.ts';

export interface SessionOptions {
  readonly transport: Transport;
  /** A way to large parcels beside the transport, tried first; left out, they come over the transport in pieces. */
  readonly parcels?: ParcelSource | undefined;
  readonly host: TrainerHost;
  readonly openData: OpenLocalData;
  /** The device's secret that decides which examples are held out, 32 bytes. */
  readonly splitSecret: Uint8Array;
  /** The share of the examples that no plan trains on, in place of the task's; for simulations. */
  readonly heldOut?: number | undefined;
  /** State that this device keeps between rounds. */
  readonly localState: LocalState;
  /** Keeps frozen tensors of models beyond the session; left out, each session fetches them once. */
  readonly keptParcels?: KeptParcels;
  readonly clock: Clock;
  /** Of frames; the protocol's own unless a platform has a faster one. */
  readonly checksum?: Checksum;
  readonly device: Join['device'];
  /** Named in `join` before a trainer exists. */
  readonly backend: string;
  /** Whether to keep the first and newest global weights, to ask the model with. Costs two models of memory. */
  readonly keepModels: boolean;
  /** The way to what is public of tasks, and the counts and inputs that this device keeps; left out, `monitor` cannot be used. */
  readonly monitoring?: {
    readonly source: TaskSource;
    readonly kept: KeptMonitors;
    /** Left out, inputs that await their outcome are kept in memory. */
    readonly inputs?: KeptInputs;
  };
  /** Decides whether to drop out of an attempt of a round, before training; for simulations. Both count from 1. */
  readonly dropsOut?: (round: number, attempt: number) => boolean;
}

/** Takes part: the same code in a browser's worker and in a headless client. */
export function createSession(options: SessionOptions): Session {
  return new ParticipantSession(options);
}

/** Connects the wire to the parts that answer: each message down goes to the part that it is for. */
class ParticipantSession implements Session {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #store = new StateStore();
  readonly #work = new CurrentWork();
  readonly #line: Line;
  readonly #runs: RunList;
  readonly #data: OwnData;
  readonly #models: Models;
  readonly #contributions: Contributions;
  readonly #membership: Membership;
  readonly #training: Training;
  readonly #measuring: Measuring;
  readonly #agreeing: Agreeing;
  readonly #monitoring: Monitoring | null;

  constructor(options: SessionOptions) {
    const { transport, parcels: source, clock, host, device, backend } = options;
    const checksum = options.checksum ?? crc32;
    const store = this.#store;
    const work = this.#work;
    const line = new Line({ transport, beside: source, clock, store });
    const runs = new RunList({ line, store });
    const data = new OwnData(options.openData);
    const models = new Models({
      pull: async (message) => contentOf(await line.request('pull', message)),
      request: line.requestUnrecorded,
      checksum,
      http: source === undefined ? null : { download: new ParcelDownload({ source, clock }), checksum },
      participant: () => store.state.participant,
      kept: options.keptParcels,
      joined: () => this.#membership.joined,
    });
    const kept = new KeptModels({ models, store, wanted: options.keepModels });
    const contributions = new Contributions(options.localState, (run, tickets) =>
      line.request('counted', { run, tickets }),
    );
    const parts = { line, store, work, data, contributions, kept, clock };
    const baseOf = (run: string) => models.baseOf(run);
    const membership = new Membership({ ...parts, runs, device, backend, baseOf });
    const { splitSecret, heldOut } = options;
    const trained = { ...parts, models, host, checksum, splitSecret, heldOut };
    this.#training = new Training({
      ...trained,
      membership,
      progress: new Progress(parts),
      dropsOut: options.dropsOut ?? (() => false),
    });
    this.#measuring = new Measuring(trained);
    this.#agreeing = new Agreeing(trained);
    this.#monitoring =
      options.monitoring === undefined
        ? null
        : new Monitoring({
            inputs: memoryInputs(),
            ...options.monitoring,
            line,
            store,
            host,
            openData: options.openData,
            clock,
            checksum,
            splitSecret,
            heldOut,
            added: () => void this.dataChanged().catch((thrown: unknown) => store.fail(thrown)),
          });
    this.#transport = transport;
    this.#clock = clock;
    this.#line = line;
    this.#runs = runs;
    this.#data = data;
    this.#models = models;
    this.#contributions = contributions;
    this.#membership = membership;
    host.onBackend(({ backend, note, insteadOf }) =>
      store.set({ backend, backendNote: note, backendLost: insteadOf }),
    );
  }

  get state(): SessionState {
    return this.#store.state;
  }

  subscribe(changed: (state: SessionState) => void): () => void {
    return this.#store.subscribe(changed);
  }

  connect(): void {
    this.#transport.open({
      onWelcome: (welcome) => void this.#welcomed(welcome),
      onLost: () => this.#store.set({ connection: 'offline', peers: null }),
      onRefused: (error) => this.#refused(error),
      onMessage: (name, message) => this.#received(name, message),
    });
  }

  join(run: string, invitation: string | null = null): Promise<void> {
    return this.#membership.enter(run, invitation);
  }

  watch(runs: readonly string[]): Promise<void> {
    return this.#runs.watch(runs, () => this.#membership.joined?.run ?? null);
  }

  leave(): Promise<void> {
    return this.#membership.leave();
  }

  async pause(): Promise<void> {
    this.#store.set({ paused: true, activity: { kind: 'paused' } });
    await this.#training.pause();
    await this.#membership.tellAvailability();
  }

  async resume(): Promise<void> {
    this.#store.set({ paused: false });
    this.#membership.rest();
    await this.#membership.tellAvailability();
  }

  async dataChanged(): Promise<void> {
    if (!(await this.#data.count())) return;
    if (this.#work.ask === null) this.#membership.rest();
    await this.#membership.tellAvailability();
  }

  models(): { first: SavedModel | null; latest: SavedModel | null } {
    const { first, latest } = this.#models;
    return { first, latest };
  }

  pull(run: string): Promise<SavedModel> {
    return this.#models.pull(run);
  }

  async monitor(task: string, how: MonitorTerms): Promise<void> {
    if (this.#monitoring === null) throw new Error('this session was made without monitoring');
    await this.#monitoring.monitor(task, how);
  }

  unmonitor(task: string): void {
    this.#monitoring?.unmonitor(task);
  }

  observe(task: string, prediction: ObservedPrediction): void {
    this.#monitoring?.observe(task, prediction);
  }

  async outcome(task: string, id: string, label: number): Promise<boolean> {
    return (await this.#monitoring?.outcome(task, id, label)) ?? false;
  }

  async save(): Promise<void> {
    await this.#monitoring?.save();
  }

  close(): void {
    this.#monitoring?.close();
    this.#membership.close();
    this.#models.close();
    this.#transport.close();
  }

  async #welcomed({ operator, participant, now, runs: told, releases = [] }: Welcome): Promise<void> {
    let runs = told;
    if (this.#runs.isWatching) {
      try {
        runs = await this.#runs.watchAgain();
      } catch (thrown) {
        // The next connection asks again.
        if (thrown instanceof CoppiceError && thrown.code === 'connection-lost') return;
        this.#store.fail(thrown);
      }
    }
    const clockOffset = now - this.#clock.now();
    this.#store.set({ connection: 'online', operator, participant, clockOffset, runs, error: null });
    this.#forgetEnded().catch(() => {});
    this.#monitoring?.welcomed(releases);
    if (this.#membership.wanted !== null) await this.#membership.joinAgain();
  }

  #refused(error: WireError): void {
    if (error.code === 'participant-banned') this.#membership.out();
    else this.#work.stop();
    this.#store.set({ connection: 'refused', error, activity: { kind: 'idle' } });
  }

  /** Removes the kept state of runs that ended while this device was away, and that it did not join again. */
  async #forgetEnded(): Promise<void> {
    const kept = await this.#contributions.runs();
    const over = await this.#runs.over(kept.filter((run) => run !== this.#membership.wanted));
    this.#contributions.forget((run) => over.has(run)).catch(() => {});
  }

  #received<N extends DownName>(name: N, message: Down<N>): void {
    const store = this.#store;
    const membership = this.#membership;
    const handlers: { [K in DownName]: (message: Down<K>) => void } = {
      // Transports keep these two to themselves.
      challenge: () => {},
      welcome: () => {},
      run: ({ run, now }) => {
        store.set({ runs: this.#runs.with([run]), clockOffset: now - this.#clock.now() });
        const joined = run.id === membership.joined?.run;
        if (isOver(run.status) && joined && this.#work.ask === null) membership.rest();
      },
      peers: (peers) => {
        if (peers.run === membership.joined?.run) store.set({ peers });
      },
      notice: ({ run, task, ...error }) => {
        if (task !== undefined) return this.#monitoring?.refused(task, error);
        if (run !== undefined && run === membership.wanted) membership.out();
        store.set({ error });
      },
      ask: (ask) => {
        if ('run' in ask) void this.#asked(ask);
        else this.#monitoring?.asked(ask);
      },
      scaling: (agreed) => void membership.scalingAgreed(agreed),
      'round-end': (end) => {
        if (end.run === membership.joined?.run) this.#training.roundEnded(end);
      },
      release: (news) => this.#monitoring?.released(news),
      'run-end': ({ run }) => membership.runEnded(run),
    };
    handlers[name](message);
    const about = message as { run?: string | { id: string } };
    membership.heard(typeof about.run === 'object' ? about.run.id : about.run);
  }

  async #asked(ask: Ask): Promise<void> {
    const entering = this.#membership.entering(ask.run);
    if (entering !== null) await entering;
    const { joined } = this.#membership;
    if (joined?.run !== ask.run) return;
    if (ask.kind === 'train') await this.#training.answer(ask, joined);
    else if (ask.kind === 'evaluate') await this.#measuring.answer(ask, joined);
    else if (ask.kind === 'statistics') await this.#agreeing.answer(ask, joined);
    else await decline(this.#line, ask, 'backend-unavailable');
  }
}
