import { normaliseFeatures } from '@coppice/datasets/recipe';
import type { MonitorTerms, ParcelPass } from '@coppice/participant';
import type { Clock, RandomSource } from '@coppice/ports';
import { CoppiceError, classesOf, type ReleaseNews } from '@coppice/protocol';
import type { Device, Sent } from './device.ts';
import { freeInput, type Input, storedInput, takeInput } from './input.ts';
import { type LoadedModel, loadModel } from './loaded-model.ts';
import { pauseAfterFailure, pauseBetweenLooks } from './pauses.ts';
import { type Prediction, predictionOf } from './prediction.ts';
import type { MakePredictor } from './predictor.ts';
import { type Freshness, Releases } from './releases.ts';
import { Requests } from './requests.ts';
import { type RunFacts, TermsOfRuns } from './run-terms.ts';
import type { PartTerms } from './taking-part.ts';
import type { Visibility } from './visibility.ts';
import { type WatchFacts, watchFacts } from './watch-facts.ts';
import { type MonitorStatus, type PartStatus, Watching } from './watching.ts';

/** A model that predicts. */
export interface ModelInfo {
  /** `<run>/<round>`. */
  readonly checkpoint: string;
  /** SHA-256 of its weights. */
  readonly hash: string;
  /** Names of the classes in the order of predictions; `null` for a numeric target. */
  readonly classes: readonly string[] | null;
}

/**
 * The state of a client:
 * - `loading`: nothing is known yet.
 * - `no-model`: the channel names no checkpoint.
 * - `ready`: `model` is what the channel names.
 * - `offline`: the coordinator cannot be reached, or asks to come back later. `model`, where there is one, goes on.
 * - `refused`: the coordinator refuses, or its release cannot be used here. `model`, where there is one, goes on.
 *
 * `problem` is the reason of the last two.
 */
export interface Status {
  readonly state: 'loading' | 'no-model' | 'ready' | 'offline' | 'refused';
  readonly problem: CoppiceError | null;
}

interface Events {
  /** Another model predicts from now on; `null`: none does. */
  readonly model: ModelInfo | null;
  readonly status: Status;
  /** How far the watching of predictions is; `null`: they are not watched. */
  readonly monitor: MonitorStatus | null;
  /** How far the part in runs is; `null`: this browser takes no part. */
  readonly part: PartStatus | null;
  /** A message left this browser for the coordinator. Downloads of models are none. */
  readonly sent: Sent;
}

/** A task's released model in this page. */
export interface Client {
  /** The model that the next prediction is made with; `null`: none. */
  readonly model: ModelInfo | null;
  readonly status: Status;
  /**
   * Predicts for one picture or row, as it is at the moment of the call. Predictions are made one after the other.
   *
   * @param how.count false for a prediction that may not be the last word, such as of a drawing that goes on: it counts
   *   with `use` or `outcome` alone. Of those the last 16 are known.
   * @throws CoppiceError `data-invalid` for an input that does not fit the task; without a model `checkpoint-unknown`
   *   where none is released, else the reason why none could be loaded.
   */
  predict(input: Input, how?: { readonly count?: boolean }): Promise<Prediction>;
  /**
   * Counts a prediction that was made with `count: false`, once.
   *
   * @returns false where predictions are not watched, and where none with this id waits to be counted.
   */
  use(id: string): Promise<boolean>;
  /**
   * What the coordinator asks of browsers that watch their predictions, for the question whether the person agrees.
   *
   * @throws CoppiceError `task-unknown`, `connection-lost`
   */
  watch(): Promise<WatchFacts>;
  /**
   * Counts predictions from now on and reports on them, once a period, to the consent that the person gave to what `watch`
   * told. Where this browser has an arm of a canary, it predicts with the model of its arm.
   *
   * @throws CoppiceError `consent-outdated`, `run-not-admitted`, `invitation-invalid`
   */
  monitor(how: MonitorTerms): Promise<void>;
  /** Reports nothing more, and forgets what was counted. */
  unmonitor(): Promise<void>;
  /**
   * Tells what a prediction should have been, hours or days later, also after the page was closed in between. One that was
   * not counted yet counts with it.
   *
   * @param label the name of a class or its index, or the number in the target's unit.
   * @returns false where no prediction with this id is known to await its outcome.
   * @throws CoppiceError `data-invalid`
   */
  outcome(id: string, label: string | number): Promise<boolean>;
  /**
   * What would leave this browser in the runs of the task, for the question whether the person agrees.
   *
   * @throws CoppiceError `task-unknown`, `connection-lost`
   */
  terms(): Promise<RunFacts>;
  /**
   * Takes part in runs of the task from now on, while the device is idle, charging and on a connection that costs nothing, to
   * the consent that the person gave to what `terms` told. Runs of other terms are not joined.
   *
   * @param how.idle false: also while the page is used; `how.charging` and `how.unmetered` likewise.
   */
  takePart(how: PartTerms): Promise<void>;
  /** Leaves the run, and joins no more. */
  leave(): Promise<void>;
  /**
   * Keeps an example in this browser, for training in runs that it takes part in.
   *
   * @param label as that of `outcome`.
   * @throws CoppiceError `data-invalid`, `storage-full`, `storage-failed`; those of `predict` before the first model is here.
   */
  add(input: Input, label: string | number): Promise<void>;
  /** Calls `heard` at each change from now on. Returns a function that ends it. */
  on<E extends keyof Events>(event: E, heard: (value: Events[E]) => void): () => void;
  /** Ends all requests and frees the model. Later predictions are refused. */
  close(): void;
}

/** The ports of a client. */
export interface Means {
  readonly request: typeof fetch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly visibility: Visibility;
  readonly makePredictor: MakePredictor;
  /** Opens this browser's device at the coordinator, which is closed with the client. */
  readonly openDevice: () => Device;
  /** Whether the device is open anyway: what it tells is heard from the beginning, not first where predictions are watched. */
  readonly hasDevice: boolean;
}

export class ModelClient implements Client {
  readonly #releases: Releases;
  readonly #terms: TermsOfRuns;
  readonly #task: string;
  readonly #interval: number;
  readonly #means: Means;
  readonly #watching: Watching;
  /** A channel, `latest`, or the hash of a checkpoint. */
  readonly #channel: string;
  readonly #closing = new AbortController();
  readonly #heard: { [E in keyof Events]: Set<(value: Events[E]) => void> } = {
    model: new Set(),
    status: new Set(),
    monitor: new Set(),
    part: new Set(),
    sent: new Set(),
  };
  /** Ends with the first look at the channel, whatever it found. */
  readonly #begun = Promise.withResolvers<void>();
  /** The last of the predictions and changes of model, which are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #loaded: LoadedModel | null = null;
  #status: Status = { state: 'loading', problem: null };
  /** The releases that the coordinator told this browser of; `null`: of none. */
  #news: ReleaseNews | null = null;
  /** Opens a model of a run that is not open; null: there is none. */
  #pass: ParcelPass | null = null;
  /** True where a channel moved since the last look began. */
  #moved = false;
  /** Ends the pause between two looks. */
  #wake: () => void = () => {};

  constructor(
    {
      interval,
      ...from
    }: { readonly url: string; readonly task: string; readonly channel: string; readonly interval: number },
    means: Means,
  ) {
    const { request, clock } = means;
    const requests = new Requests({ request, clock, signal: this.#closing.signal });
    this.#releases = new Releases(from, requests, () => this.#pass);
    this.#terms = new TermsOfRuns(from.url, requests);
    this.#task = from.task;
    this.#interval = interval;
    this.#means = means;
    this.#channel = from.channel;
    this.#watching = new Watching({
      task: from.task,
      open: async () => means.openDevice(),
      tell: (event, value) => {
        if (event === 'news') this.#released(value as ReleaseNews | null);
        else if (event === 'pass') this.#passed(value as ParcelPass | null);
        else this.#emit(event, value as never);
      },
    });
    if (means.hasDevice) this.#watching.listen();
    void this.#watch();
  }

  get model(): ModelInfo | null {
    return this.#loaded === null ? null : infoOf(this.#loaded);
  }

  get status(): Status {
    return this.#status;
  }

  async predict(input: Input, { count = true }: { readonly count?: boolean } = {}): Promise<Prediction> {
    const taken = await takeInput(input);
    try {
      await this.#begun.promise;
      return await this.#inTurn(async () => {
        const { data, predictor, released } = this.#current();
        const example = await storedInput(taken, data);
        // Of a picture, reports tell of the model's features too.
        const withFeatures = this.#watching.isOn || !count;
        const input = normaliseFeatures(example, data);
        const { outputs, features } = await predictor.predict(input, withFeatures);
        const made = predictionOf(outputs, data, released, this.#means.random);
        const { hash, id } = made;
        const observed = { hash, id, example, output: outputs, features };
        // A prediction that cannot be counted is one all the same.
        if (count) this.#watching.observe(observed).catch((thrown: unknown) => reportError(thrown));
        else this.#watching.putAside(observed);
        return made;
      });
    } finally {
      freeInput(taken);
    }
  }

  async watch(): Promise<WatchFacts> {
    return watchFacts(await this.#releases.watch());
  }

  monitor(how: MonitorTerms): Promise<void> {
    return this.#watching.monitor(how);
  }

  unmonitor(): Promise<void> {
    return this.#watching.unmonitor();
  }

  use(id: string): Promise<boolean> {
    return this.#watching.use(id);
  }

  async outcome(id: string, label: string | number): Promise<boolean> {
    return this.#watching.outcome(id, await this.#labelOf(label));
  }

  terms(): Promise<RunFacts> {
    return this.#terms.now(this.#task);
  }

  takePart(how: PartTerms): Promise<void> {
    return this.#watching.takePart(how);
  }

  leave(): Promise<void> {
    return this.#watching.leave();
  }

  async add(input: Input, label: string | number): Promise<void> {
    const taken = await takeInput(input);
    try {
      await this.#begun.promise;
      const { data } = this.#current();
      const features = await storedInput(taken, data);
      const source = data.kind === 'image' ? 'images' : 'csv';
      await this.#watching.add({ data, features, label: await this.#labelOf(label), source });
    } finally {
      freeInput(taken);
    }
  }

  /** The index of a class by its name; a number as it is. @throws CoppiceError `data-invalid` */
  async #labelOf(label: string | number): Promise<number> {
    if (typeof label === 'number') return label;
    await this.#begun.promise;
    const classes = this.model?.classes;
    const index = classes?.indexOf(label) ?? -1;
    if (index !== -1) return index;
    throw new CoppiceError(
      'data-invalid',
      classes == null
        ? `The outcome "${label}" is the name of no class that is known here. Give the number.`
        : `The outcome "${label}" is no class of the task. Its classes: ${classes.join(', ')}.`,
    );
  }

  on<E extends keyof Events>(event: E, heard: (value: Events[E]) => void): () => void {
    // A function of its own, so that the same one can be given twice.
    const one = (value: Events[E]) => heard(value);
    this.#heard[event].add(one);
    return () => void this.#heard[event].delete(one);
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#watching.close();
    this.#begun.resolve();
    for (const heard of Object.values(this.#heard)) heard.clear();
    void this.#use(null);
  }

  /** @throws CoppiceError where there is no model; Error where the client was closed. */
  #current(): LoadedModel {
    if (this.#closing.signal.aborted) throw new Error('This client was closed');
    if (this.#loaded !== null) return this.#loaded;
    throw (
      this.#status.problem ??
      new CoppiceError(
        'checkpoint-unknown',
        'No model is released for this task yet. The page has it as soon as an admin releases one.',
      )
    );
  }

  /** Looks at the channel, for as long as the client is open and its page is seen. */
  async #watch(): Promise<void> {
    const { random, visibility } = this.#means;
    const { signal } = this.#closing;
    for (let failures = 0; ; ) {
      let pause: number;
      this.#moved = false;
      try {
        this.#tell({ state: await this.#look('fresh'), problem: null });
        failures = 0;
        pause = pauseBetweenLooks(this.#interval, random);
      } catch (thrown) {
        if (signal.aborted) return;
        const problem = CoppiceError.from(thrown);
        // Once: where the browser keeps nothing it asks the coordinator.
        if (failures === 0 && this.#loaded === null && isPassing(problem) && problem.retryAfter === null)
          await this.#look('kept').catch(() => {});
        failures++;
        pause = pauseAfterFailure(failures, problem.retryAfter, random);
        this.#tell({ state: isPassing(problem) ? 'offline' : 'refused', problem });
      }
      this.#begun.resolve();
      // What was told while it looked may not be in what it saw.
      if (!this.#moved) await this.#rest(pause);
      await visibility.seen(signal);
      if (signal.aborted) return;
    }
  }

  /** Looks at the channel once, and takes what it names. */
  async #look(freshness: Freshness): Promise<'ready' | 'no-model'> {
    const known = this.#loaded?.released.etag ?? null;
    const arm = this.#arm;
    // A canary that is gone is no reason to predict with nothing.
    const named =
      (arm === null ? null : await this.#releases.named(freshness, known, arm)) ??
      (await this.#releases.named(freshness, known));
    if (named === null) {
      await this.#use(null);
      return 'no-model';
    }
    if (named !== 'unchanged')
      await this.#use(await loadModel(this.#releases, named, freshness, this.#means.makePredictor));
    return 'ready';
  }

  /** The hash of the canary that this browser predicts with; `null`: it predicts with what its channel names. */
  get #arm(): string | null {
    const canary = this.#news?.canary ?? null;
    return this.#channel === 'production' && canary?.arm === 'canary' ? canary.hash : null;
  }

  /** Looks at once where a channel moved. */
  #released(news: ReleaseNews | null): void {
    this.#news = news;
    this.#moved = true;
    this.#wake();
  }

  /** Looks at once where a model was refused without it. */
  #passed(pass: ParcelPass | null): void {
    const isNew = pass !== null && pass.ticket !== this.#pass?.ticket;
    this.#pass = pass;
    if (!isNew || (this.#loaded !== null && this.#status.state !== 'refused')) return;
    this.#moved = true;
    this.#wake();
  }

  /** Predicts with another model from the next prediction on. */
  async #use(next: LoadedModel | null): Promise<void> {
    const changed = await this.#inTurn(async () => {
      const before = this.#loaded;
      // Closed while it was loading.
      const used = this.#closing.signal.aborted ? null : next;
      if (used !== next) next?.predictor.dispose();
      this.#loaded = used;
      before?.predictor.dispose();
      return before?.released.checkpoint !== used?.released.checkpoint;
    });
    if (changed) this.#emit('model', this.model);
  }

  #tell(status: Status): void {
    const before = this.#status;
    this.#status = status;
    if (before.state !== status.state || before.problem?.code !== status.problem?.code)
      this.#emit('status', status);
  }

  #emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const heard of [...this.#heard[event]]) {
      try {
        heard(value);
      } catch (thrown) {
        // The page's own mistake: it is shown like any other, and ends nothing here.
        reportError(thrown);
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #rest(milliseconds: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#means.clock.setTimer(milliseconds, end);
      this.#wake = end;
      signal.addEventListener('abort', end);
    });
  }
}

function infoOf({ released, data }: LoadedModel): ModelInfo {
  return { checkpoint: released.checkpoint, hash: released.hash, classes: classesOf(data) };
}

/** Checks that a problem is of the line or the coordinator, and passes. Damaged weights are of the release. */
function isPassing({ code, retry }: CoppiceError): boolean {
  return retry === 'later' && code !== 'frame-invalid';
}
