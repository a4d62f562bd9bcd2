import type { Clock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import type { Job, Results } from './jobs.ts';
import { type Limit, WorkerThread } from './worker-thread.ts';

/**
 * Milliseconds without work after which a surplus thread is ended: one with tfjs takes tens of megabytes, and starts in
 * a second.
 */
const IDLE = 1_000;

export interface LaneOptions {
  readonly script: URL;
  readonly clock: Clock;
  /** The most threads. */
  readonly threads: number;
  /** Threads that stay when idle. */
  readonly kept: number;
  /** Threads that one task may occupy at a time; below `threads`, no task can block all others. */
  readonly perTask: number;
}

interface Waiting {
  readonly job: Job;
  readonly limit: Limit;
  resolve(result: never): void;
  reject(error: CoppiceError): void;
}

interface Place {
  readonly thread: WorkerThread;
  /** The task of its current or last job, whose data the thread caches. */
  task: string | null;
  busy: boolean;
  stopIdling: (() => void) | null;
}

/** A queue for jobs of a kind, with its own threads. Tasks take turns, one job each (round robin). */
export class Lane {
  readonly #o: LaneOptions;
  readonly #places: Place[];
  /** Jobs by task, the next task's first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #closed: CoppiceError | null = null;

  constructor(options: LaneOptions) {
    this.#o = options;
    this.#places = Array.from({ length: options.threads }, () => ({
      thread: new WorkerThread(options.script, options.clock),
      task: null,
      busy: false,
      stopIdling: null,
    }));
  }

  /** @throws CoppiceError as `WorkerThread.run` does, or the error that the lane was closed with. */
  do<K extends Job['kind']>(task: string, job: Extract<Job, { kind: K }>, limit: Limit): Promise<Results[K]> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    const { promise, resolve, reject } = Promise.withResolvers<Results[K]>();
    const waiting = this.#waiting.get(task);
    const one = { job, limit, resolve, reject };
    if (waiting === undefined) this.#waiting.set(task, [one]);
    else waiting.push(one);
    this.#fill();
    return promise;
  }

  /** Starts threads now instead of with their first job. */
  warm(threads: number): void {
    if (this.#closed !== null) return;
    for (const [i, { thread }] of this.#places.entries()) if (i < threads) thread.start();
  }

  /** Refuses all jobs with this error, and ends all threads. */
  async close(why: CoppiceError): Promise<void> {
    this.#closed = why;
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const { reject } of waiting) reject(why);
    for (const { stopIdling } of this.#places) stopIdling?.();
    await Promise.all(this.#places.map(({ thread }) => thread.end(why)));
  }

  #fill(): void {
    for (;;) {
      const task = [...this.#waiting.keys()].find((one) => this.#atWork(one) < this.#o.perTask);
      if (task === undefined) return;
      const place = this.#freePlace(task);
      if (place === null) return;
      const jobs = this.#waiting.get(task) as Waiting[];
      const next = jobs.shift() as Waiting;
      this.#waiting.delete(task);
      if (jobs.length > 0) this.#waiting.set(task, jobs);
      this.#begin(place, task, next);
    }
  }

  #atWork(task: string): number {
    return this.#places.filter((place) => place.busy && place.task === task).length;
  }

  #freePlace(task: string): Place | null {
    const free = this.#places.filter(({ busy }) => !busy);
    return (
      free.find((place) => place.task === task && place.thread.started) ??
      free.find(({ thread }) => thread.started) ??
      free[0] ??
      null
    );
  }

  #begin(place: Place, task: string, { job, limit, resolve, reject }: Waiting): void {
    place.stopIdling?.();
    place.stopIdling = null;
    place.busy = true;
    place.task = task;
    place.thread
      .run(job, limit)
      .then(resolve as (result: unknown) => void, reject)
      .finally(() => {
        place.busy = false;
        if (this.#closed !== null) return;
        this.#fill();
        if (!place.busy) this.#idle(place);
      });
  }

  #idle(place: Place): void {
    if (!place.thread.started || this.#places.indexOf(place) < this.#o.kept) return;
    place.stopIdling = this.#o.clock.setTimer(IDLE, () => {
      place.stopIdling = null;
      void place.thread.end(
        new CoppiceError('evaluation-failed', 'The thread had nothing to do and was ended.'),
      );
    });
  }
}
