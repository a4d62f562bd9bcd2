import type { Down, ReleaseNews, TaskAsk, WireError } from '@coppice/protocol';
import { coordinatorTime } from '../coordinator-time.ts';
import type { MonitoredState } from '../session-state.ts';
import type { ObservedPrediction } from '../watch/observation.ts';
import { MonitoredTask, type MonitoredTaskOptions, type MonitorTerms } from './monitored-task.ts';
import type { StateStore } from './state-store.ts';

export interface MonitoringOptions
  extends Omit<MonitoredTaskOptions, 'show' | 'isOnline' | 'participant' | 'before' | 'now'> {
  readonly store: StateStore;
}

/** The tasks whose predictions this device watches. */
export class Monitoring {
  readonly #o: MonitoringOptions;
  readonly #tasks = new Map<string, MonitoredTask>();
  /** The ends of earlier work on a task, which later work waits for. */
  readonly #ends = new Map<string, Promise<void>>();

  constructor(options: MonitoringOptions) {
    this.#o = options;
  }

  /** @throws CoppiceError the refusal of the coordinator. */
  async monitor(task: string, how: MonitorTerms): Promise<void> {
    const { store, clock } = this.#o;
    const replaced = this.#tasks.get(task);
    if (replaced?.isFor(how) === true) {
      if (store.state.monitored[task]?.offered !== true) await replaced.offer();
      return;
    }
    if (replaced !== undefined) this.#ends.set(task, replaced.close());
    const show = (change: Partial<MonitoredState>) => {
      if (this.#tasks.get(task) !== monitored) return;
      const before = store.state.monitored[task] ?? nothingKnown;
      store.set({ monitored: { ...store.state.monitored, [task]: { ...before, ...change } } });
    };
    const monitored: MonitoredTask = new MonitoredTask(task, how, {
      ...this.#o,
      isOnline: () => store.isOnline,
      participant: () => store.state.participant ?? '',
      now: () => coordinatorTime(store.state, clock) ?? clock.now(),
      before: this.#ends.get(task) ?? Promise.resolve(),
      show,
    });
    this.#tasks.set(task, monitored);
    if (store.isOnline) monitored.released(store.state.releases[task] ?? null);
    show(nothingKnown);
    await monitored.offer();
  }

  unmonitor(task: string): void {
    const { store } = this.#o;
    const monitored = this.#tasks.get(task);
    this.#tasks.delete(task);
    const { [task]: _gone, ...others } = store.state.monitored;
    store.set({ monitored: others });
    if (monitored === undefined) return;
    const end = monitored.forget().catch((thrown: unknown) => store.fail(thrown));
    this.#ends.set(task, end);
  }

  observe(task: string, prediction: ObservedPrediction): void {
    this.#tasks.get(task)?.observe(prediction);
  }

  async outcome(task: string, id: string, label: number): Promise<boolean> {
    return (await this.#tasks.get(task)?.outcome(id, label)) ?? false;
  }

  /** Takes the releases that a connection begins with, and offers again. */
  welcomed(releases: readonly ReleaseNews[]): void {
    this.#o.store.set({ releases: Object.fromEntries(releases.map((news) => [news.task, news])) });
    for (const [task, monitored] of this.#tasks) {
      monitored.released(this.#o.store.state.releases[task] ?? null);
      monitored.offerAgain();
    }
  }

  /** Takes a change of a task's channels. */
  released(news: Down<'release'>): void {
    const { store } = this.#o;
    store.set({ releases: { ...store.state.releases, [news.task]: news } });
    this.#tasks.get(news.task)?.released(news);
  }

  /** Takes the end of an offer. */
  refused(task: string, error: WireError): void {
    this.#tasks.get(task)?.refused(error);
  }

  asked(ask: TaskAsk): void {
    void this.#tasks.get(ask.task)?.asked(ask);
  }

  async save(): Promise<void> {
    await Promise.all([...this.#tasks.values()].map((monitored) => monitored.save()));
  }

  close(): void {
    for (const monitored of this.#tasks.values()) void monitored.close();
  }
}

const nothingKnown: MonitoredState = {
  offered: false,
  watched: null,
  pass: null,
  info: null,
  observations: 0,
  labelled: 0,
  reported: null,
  answered: 0,
  withheld: 0,
  error: null,
};
