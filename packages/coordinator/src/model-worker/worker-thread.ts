import { Worker } from 'node:worker_threads';
import type { Clock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import type { Answer, Job, Results } from './jobs.ts';

/** Time limit of a job, and the error beyond it. */
export interface Limit {
  readonly milliseconds: number;
  readonly exceeded: () => CoppiceError;
}

/**
 * A thread that runs one job at a time. It starts with its first job or on request, and again after it ended by itself
 * or because a job took too long: terminating the thread is the only way to stop an endless loop.
 */
export class WorkerThread {
  readonly #script: URL;
  readonly #clock: Clock;
  #worker: Worker | null = null;
  #job: { resolve(result: never): void; reject(error: CoppiceError): void; unwatch(): void } | null = null;

  constructor(script: URL, clock: Clock) {
    this.#script = script;
    this.#clock = clock;
  }

  get started(): boolean {
    return this.#worker !== null;
  }

  /** @throws CoppiceError from the job; `evaluation-failed` where the thread ended; `limit.exceeded()`. */
  run<K extends Job['kind']>(job: Extract<Job, { kind: K }>, limit: Limit): Promise<Results[K]> {
    if (this.#job !== null) throw new Error('A thread does one job at a time');
    return new Promise((resolve, reject) => {
      const unwatch = this.#clock.setTimer(limit.milliseconds, () => void this.end(limit.exceeded()));
      this.#job = { resolve, reject, unwatch };
      try {
        this.start().postMessage(job);
      } catch (thrown) {
        this.#take()?.reject(CoppiceError.from(thrown, 'evaluation-failed'));
      }
    });
  }

  start(): Worker {
    this.#worker ??= this.#start();
    return this.#worker;
  }

  /** Ends the thread. @param why the refusal of its current job, if any. */
  async end(why: CoppiceError): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    this.#take()?.reject(why);
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#script);
    worker.on('message', (answer: Answer) => {
      if (this.#worker !== worker) return;
      const job = this.#take();
      if ('error' in answer) job?.reject(CoppiceError.fromWire(answer.error));
      else job?.resolve(answer.result as never);
    });
    const ended = (why: string) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#take()?.reject(new CoppiceError('evaluation-failed', `The thread for models ended: ${why}`));
    };
    worker.on('error', (error) => ended(error.message));
    worker.on('exit', (code) => ended(`exit code ${code}`));
    return worker;
  }

  #take() {
    const job = this.#job;
    this.#job = null;
    job?.unwatch();
    return job;
  }
}
