import { Worker } from 'node:worker_threads';
import type { RawExamples } from '@coppice/datasets';
import { CoppiceError, type Metrics, type Task } from '@coppice/protocol';
import type { TestAnswer, TestData } from './test-thread.ts';

/** Test data of the person's own, on which a thread measures models. */
class OwnTest {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Metrics>>();
  #asked = 0;

  constructor(data: TestData) {
    this.#worker = new Worker(new URL('./test-thread.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (answer: TestAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('metrics' in answer) waiting?.resolve(answer.metrics);
      else waiting?.reject(new CoppiceError('evaluation-failed', answer.error));
    });
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** @throws CoppiceError `evaluation-failed` */
  evaluate(weights: Float32Array): Promise<Metrics> {
    const waiting = Promise.withResolvers<Metrics>();
    const id = ++this.#asked;
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, weights });
    return waiting.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The parts of a task that say how its models are measured. */
type Measurable = Pick<Task, 'id' | 'data' | 'loss' | 'model'>;

/** Test data of the person's own, by task. */
export class OwnTests {
  readonly #tests = new Map<string, RawExamples>();
  readonly #threads = new Map<string, OwnTest>();

  add(task: string, test: RawExamples): void {
    this.#tests.set(task, test);
  }

  has(task: string): boolean {
    return this.#tests.has(task);
  }

  /** @throws CoppiceError `evaluation-failed`, also where there is no test data for the task. */
  evaluate({ id, data, loss, model }: Measurable, weights: Float32Array): Promise<Metrics> {
    const test = this.#tests.get(id);
    if (test === undefined) throw new CoppiceError('evaluation-failed', `There is no test data for "${id}".`);
    const thread =
      this.#threads.get(id) ?? new OwnTest({ model: { topology: model, data, loss }, data, test });
    this.#threads.set(id, thread);
    return thread.evaluate(weights);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.close()));
  }
}
