import type { Client, Input } from '@coppice/client/session';
import type { MonitorTerms } from '@coppice/participant';
import { CoppiceError } from '@coppice/protocol';
import type { ReleasedModel, ReleasedPrediction } from './api.ts';

/** The released models of tasks, of one task at a time: a question about another task takes its place. */
export class Released {
  readonly #open: (task: string) => Client;
  readonly #unmonitor: (task: string) => Promise<void>;
  readonly #told: (model: ReleasedModel | null) => void;
  /** The tasks that are monitored: a task that is asked about again goes on. */
  readonly #monitored = new Map<string, MonitorTerms>();
  #current: { readonly task: string; readonly client: Client } | null = null;

  constructor(options: {
    readonly open: (task: string) => Client;
    /** Ends the reports on a task that has no client. */
    readonly unmonitor: (task: string) => Promise<void>;
    /** Hears of each change of the model that predicts. */
    readonly told: (model: ReleasedModel | null) => void;
  }) {
    this.#open = options.open;
    this.#unmonitor = options.unmonitor;
    this.#told = options.told;
  }

  /**
   * Predicts, and counts nothing yet.
   *
   * @returns `null` where nothing is released, or another task was asked about meanwhile.
   * @throws CoppiceError as `Client.predict`
   */
  async predict(task: string, input: Input): Promise<ReleasedPrediction | null> {
    const client = this.#of(task);
    try {
      const made = await client.predict(input, { count: false });
      const output = 'classes' in made ? made.classes.map(({ probability }) => probability) : [made.value];
      return { id: made.id, checkpoint: made.checkpoint, output };
    } catch (thrown) {
      const isClosed = this.#current?.client !== client;
      if (isClosed || (thrown instanceof CoppiceError && thrown.code === 'checkpoint-unknown')) return null;
      throw thrown;
    }
  }

  /** Counts a prediction, once, where its task is monitored. One that was forgotten counts nowhere. */
  async use(id: string): Promise<void> {
    await this.#current?.client.use(id);
  }

  /** Counts a prediction with its outcome. @returns false where it is not known any more. @throws CoppiceError as `Client.outcome` */
  async correct(id: string, label: number): Promise<boolean> {
    return (await this.#current?.client.outcome(id, label)) ?? false;
  }

  monitor(task: string, terms: MonitorTerms): Promise<void> {
    const client = this.#of(task);
    this.#monitored.set(task, terms);
    return client.monitor(terms);
  }

  unmonitor(task: string): Promise<void> {
    this.#monitored.delete(task);
    return this.#current?.task === task ? this.#current.client.unmonitor() : this.#unmonitor(task);
  }

  #of(task: string): Client {
    if (this.#current?.task === task) return this.#current.client;
    this.#current?.client.close();
    const client = this.#open(task);
    this.#current = { task, client };
    client.on('model', (model) => this.#told(model === null ? null : { task, hash: model.hash }));
    const terms = this.#monitored.get(task);
    // A failure is told by the session.
    if (terms !== undefined) client.monitor(terms).catch(() => {});
    return client;
  }
}
