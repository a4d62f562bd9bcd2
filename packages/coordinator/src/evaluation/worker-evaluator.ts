import { Worker } from 'node:worker_threads';
import { CoppiceError, type Metrics, type Task } from '@coppice/protocol';
import type { Evaluator } from './evaluator.ts';
import type { Answers, Question, Response } from './messages.ts';

/**
 * The evaluator in a thread of its own: sums over ten thousand images must not delay a heartbeat.
 *
 * @param threads how many share an evaluation, each with the test data and a model of its own.
 * @param options.eager whether they load what they need now, rather than when they are first asked.
 */
export function workerEvaluator(threads = 1, { eager = false }: { eager?: boolean } = {}): Evaluator {
  const described = new Kept<Answers['describe']>();
  const layouts = new Kept<Answers['layout']>();
  const [first, ...others] = Array.from({ length: Math.max(1, threads) }, () => new EvaluationThread()) as [
    EvaluationThread,
    ...EvaluationThread[],
  ];
  const all = [first, ...others];
  if (eager) for (const thread of all) thread.start();
  return {
    check: (model, data, loss) => first.ask({ kind: 'check', model, data, loss }),
    layout: (task) => layouts.get(modelKey(task), () => first.ask({ kind: 'layout', task })),
    describe(task, seed) {
      // A model that is asked about will be measured: the others load meanwhile.
      for (const thread of others) thread.start();
      return described.get(`${seed}/${modelKey(task)}`, () => first.ask({ kind: 'describe', task, seed }));
    },
    async evaluate(task, weights) {
      const of = all.length;
      // One copy for all threads to read.
      const shared = new Float32Array(new SharedArrayBuffer(weights.byteLength));
      shared.set(weights);
      const shares = await Promise.all(
        all.map((thread, share) => thread.ask({ kind: 'evaluate', task, weights: shared, share, of })),
      );
      return together(shares);
    },
    samples: (task, share, of) => first.ask({ kind: 'samples', task, share, of }),
    async close() {
      await Promise.all(all.map((thread) => thread.close()));
    },
  };
}

/** The layout and first weights follow from topology, data and seed alone. */
function modelKey(task: Task): string {
  return JSON.stringify([task.model, task.data, task.loss]);
}

/** Answers that stay as they are; one that failed is asked for again. */
class Kept<T> {
  readonly #answers = new Map<string, Promise<T>>();

  get(key: string, ask: () => Promise<T>): Promise<T> {
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = ask();
      this.#answers.set(key, answer);
      answer.catch(() => this.#answers.delete(key));
    }
    return answer;
  }
}

/** A thread that starts when it is first asked, and anew after it ended. */
class EvaluationThread {
  readonly #waiting = new Map<number, { resolve(answer: never): void; reject(error: CoppiceError): void }>();
  #worker: Worker | null = null;
  #next = 0;

  ask<K extends Question['kind']>(question: Extract<Question, { kind: K }>): Promise<Answers[K]> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.start().postMessage({ id, question });
    });
  }

  start(): Worker {
    this.#worker ??= this.#start();
    return this.#worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const started = new Worker(new URL('./worker.ts', import.meta.url));
    started.on('message', (response: Response) => {
      const asked = this.#waiting.get(response.id);
      this.#waiting.delete(response.id);
      if ('error' in response) asked?.reject(CoppiceError.fromWire(response.error));
      else asked?.resolve(response.answer as never);
    });
    const failed = (why: string) => {
      if (this.#worker === started) this.#worker = null;
      for (const { reject } of this.#waiting.values())
        reject(new CoppiceError('evaluation-failed', `The evaluation thread ended: ${why}`));
      this.#waiting.clear();
    };
    started.on('error', (error) => failed(error.message));
    started.on('exit', (code) => failed(`exit code ${code}`));
    return started;
  }
}

/** The whole's metrics, from those of its parts, in their order: the same bits whoever measured which. */
function together(shares: readonly Answers['evaluate'][]): Metrics | null {
  const parts = shares.flatMap((share) => (share === null ? [] : [...share]));
  if (parts.length === 0) return null;
  const ordered = parts.sort(([a], [b]) => a - b).map(([, metrics]) => metrics);
  const examples = ordered.reduce((sum, part) => sum + part.examples, 0);
  /** A part that cannot be measured leaves nothing to say of the whole. */
  const sum = (of: (part: Metrics) => number | null) =>
    ordered.reduce<number | null>((before, part) => {
      const value = of(part);
      return before === null || value === null ? null : before + value;
    }, 0);
  const loss = sum((part) => part.loss && part.loss * part.examples);
  // Hits are whole numbers: 97 % of parts must not come to a little less of the whole.
  const hits = sum((part) => part.accuracy && Math.round(part.accuracy * part.examples));
  return {
    loss: loss === null ? null : loss / examples,
    accuracy: hits === null ? null : hits / examples,
    examples,
  };
}
