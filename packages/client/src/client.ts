import type { Clock, RandomSource } from '@coppice/ports';
import { type Channel, CoppiceError, classesOf } from '@coppice/protocol';
import { freeInput, type Input, modelInput, takeInput } from './input.ts';
import { type LoadedModel, loadModel } from './loaded-model.ts';
import { pauseAfterFailure, pauseBetweenLooks } from './pauses.ts';
import { type Prediction, predictionOf } from './prediction.ts';
import { type Freshness, Releases } from './releases.ts';
import type { Visibility } from './visibility.ts';

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
}

/** A task's released model in this page. */
export interface Client {
  /** The model that the next prediction is made with; `null`: none. */
  readonly model: ModelInfo | null;
  readonly status: Status;
  /**
   * Predicts for one picture or row, as it is at the moment of the call. Predictions are made one after the other.
   *
   * @throws CoppiceError `data-invalid` for an input that does not fit the task; without a model `checkpoint-unknown`
   *   where none is released, else the reason why none could be loaded.
   */
  predict(input: Input): Promise<Prediction>;
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
}

export class ModelClient implements Client {
  readonly #releases: Releases;
  readonly #interval: number;
  readonly #means: Means;
  readonly #closing = new AbortController();
  readonly #heard: { [E in keyof Events]: Set<(value: Events[E]) => void> } = {
    model: new Set(),
    status: new Set(),
  };
  /** Ends with the first look at the channel, whatever it found. */
  readonly #begun = Promise.withResolvers<void>();
  /** The last of the predictions and changes of model, which are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #loaded: LoadedModel | null = null;
  #status: Status = { state: 'loading', problem: null };

  constructor(
    {
      interval,
      ...from
    }: { readonly url: string; readonly task: string; readonly channel: Channel; readonly interval: number },
    means: Means,
  ) {
    const { request, clock } = means;
    this.#releases = new Releases(from, { request, clock, signal: this.#closing.signal });
    this.#interval = interval;
    this.#means = means;
    void this.#watch();
  }

  get model(): ModelInfo | null {
    return this.#loaded === null ? null : infoOf(this.#loaded);
  }

  get status(): Status {
    return this.#status;
  }

  async predict(input: Input): Promise<Prediction> {
    const taken = await takeInput(input);
    try {
      await this.#begun.promise;
      return await this.#inTurn(async () => {
        const { data, trainer, released } = this.#current();
        const output = await trainer.predict(await modelInput(taken, data), 1);
        return predictionOf(output, data, released, this.#means.random);
      });
    } finally {
      freeInput(taken);
    }
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
      await this.#rest(pause);
      await visibility.seen(signal);
      if (signal.aborted) return;
    }
  }

  /** Looks at the channel once, and takes what it names. */
  async #look(freshness: Freshness): Promise<'ready' | 'no-model'> {
    const named = await this.#releases.named(freshness, this.#loaded?.released.etag ?? null);
    if (named === null) {
      await this.#use(null);
      return 'no-model';
    }
    if (named !== 'unchanged') await this.#use(await loadModel(this.#releases, named, freshness));
    return 'ready';
  }

  /** Predicts with another model from the next prediction on. */
  async #use(next: LoadedModel | null): Promise<void> {
    const changed = await this.#inTurn(async () => {
      const before = this.#loaded;
      // Closed while it was loading.
      const used = this.#closing.signal.aborted ? null : next;
      if (used !== next) next?.trainer.dispose();
      this.#loaded = used;
      before?.trainer.dispose();
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
