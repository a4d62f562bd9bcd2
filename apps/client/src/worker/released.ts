import { normaliseFeatures } from '@coppice/datasets';
import type { Session, TaskModel, TaskSource, TrainerHost } from '@coppice/participant';
import { classesOf, type Task, targetOf } from '@coppice/protocol';
import type { ReleasedPrediction } from './api.ts';

/** Predictions that can still be used or corrected. */
const MOST_OPEN = 16;

/** Milliseconds for which the coordinator is not asked again for the release, where no news of it comes. */
const FRESH = 30_000;

type AskableTask = Pick<Task, 'id' | 'data' | 'loss'>;

interface Release {
  readonly checkpoint: string;
  readonly hash: string;
}

interface Made {
  readonly task: string;
  readonly hash: string;
  readonly example: Uint8Array | Float32Array;
  readonly output: Float32Array;
  readonly features: Float32Array | null;
  used: boolean;
}

/** Predicts with the released model of a task, and counts the predictions that a person used. */
export class Released {
  readonly #session: Pick<Session, 'state' | 'observe' | 'outcome'>;
  readonly #source: TaskSource;
  readonly #host: TrainerHost;
  readonly #id: () => string;
  readonly #now: () => number;
  readonly #made = new Map<string, Made>();
  #asked: { readonly task: string; readonly at: number; readonly release: Promise<Release | null> } | null =
    null;
  #model: { readonly hash: string; readonly model: Promise<TaskModel> } | null = null;

  constructor(options: {
    readonly session: Pick<Session, 'state' | 'observe' | 'outcome'>;
    readonly source: TaskSource;
    readonly host: TrainerHost;
    /** Draws an id. */
    readonly id: () => string;
    /** Milliseconds since an arbitrary moment. */
    readonly now: () => number;
  }) {
    this.#session = options.session;
    this.#source = options.source;
    this.#host = options.host;
    this.#id = options.id;
    this.#now = options.now;
  }

  /**
   * @param example in stored form: bytes of a picture, or raw column values.
   * @returns `null` where nothing is released.
   * @throws CoppiceError `connection-lost` and the coordinator's own; `backend-lost`, `backend-unavailable`
   */
  async predict(task: AskableTask, example: Uint8Array | Float32Array): Promise<ReleasedPrediction | null> {
    const release = await this.#release(task.id);
    if (release === null) return null;
    const { topology, weights } = await this.#modelOf(task.id, release.hash);
    const { data, loss } = task;
    const { outputs, features } = await this.#host.use({ topology, data, loss }, (trainer) => {
      trainer.setWeights(weights);
      return trainer.predictWithFeatures(normaliseFeatures(example, data), 1);
    });
    const id = this.#id();
    this.#made.set(id, {
      task: task.id,
      hash: release.hash,
      example,
      output: outputs,
      features,
      used: false,
    });
    const [oldest] = this.#made.keys();
    if (this.#made.size > MOST_OPEN && oldest !== undefined) this.#made.delete(oldest);
    const output = classesOf(data) === null ? [targetOf(outputs[0] as number, data)] : [...outputs];
    return { id, checkpoint: release.checkpoint, output };
  }

  /** Counts a prediction, once, where its task is monitored. One that was forgotten counts nowhere. */
  use(id: string): void {
    const made = this.#made.get(id);
    if (made === undefined || made.used) return;
    made.used = true;
    const { task, hash, example, output, features } = made;
    this.#session.observe(task, { hash, example, output, features, id });
  }

  /** Counts a prediction with its outcome. @throws CoppiceError as `Session.outcome` */
  async correct(id: string, label: number): Promise<void> {
    const made = this.#made.get(id);
    if (made === undefined) return;
    this.use(id);
    this.#made.delete(id);
    await this.#session.outcome(made.task, id, label);
  }

  /** The release that this device predicts with: as it was told, else as the coordinator answers. */
  async #release(task: string): Promise<Release | null> {
    const news = this.#session.state.releases[task];
    if (news !== undefined) return news.canary?.arm === 'canary' ? news.canary : news.production;
    if (this.#asked?.task !== task || this.#now() - this.#asked.at > FRESH) {
      const release = this.#source.watch(task).then(({ release }) => release);
      this.#asked = { task, at: this.#now(), release };
      // The next prediction asks again.
      release.catch(() => {
        this.#asked = null;
      });
    }
    return this.#asked.release;
  }

  #modelOf(task: string, hash: string): Promise<TaskModel> {
    if (this.#model?.hash !== hash) {
      const model = this.#source.model(task, hash);
      this.#model = { hash, model };
      model.catch(() => {
        if (this.#model?.hash === hash) this.#model = null;
      });
    }
    return this.#model.model;
  }
}
