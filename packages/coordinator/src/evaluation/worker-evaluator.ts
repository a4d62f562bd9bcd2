import { Worker } from 'node:worker_threads';
import { CoppiceError } from '@coppice/protocol';
import type { Evaluator } from './evaluator.ts';
import type { Answers, Question, Response } from './messages.ts';

/** The evaluator in a thread of its own: sums over ten thousand images must not delay a heartbeat. */
export function workerEvaluator(): Evaluator {
  const waiting = new Map<number, { resolve(answer: never): void; reject(error: CoppiceError): void }>();
  const described = new Map<string, Promise<Answers['describe']>>();
  let worker: Worker | null = null;
  let next = 0;

  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url));
    started.on('message', (response: Response) => {
      const asked = waiting.get(response.id);
      waiting.delete(response.id);
      if ('error' in response) asked?.reject(CoppiceError.fromWire(response.error));
      else asked?.resolve(response.answer as never);
    });
    const failed = (why: string) => {
      if (worker === started) worker = null;
      for (const { reject } of waiting.values())
        reject(new CoppiceError('evaluation-failed', `The evaluation thread ended: ${why}`));
      waiting.clear();
    };
    started.on('error', (error) => failed(error.message));
    started.on('exit', (code) => failed(`exit code ${code}`));
    return started;
  };

  const ask = <K extends Question['kind']>(question: Extract<Question, { kind: K }>): Promise<Answers[K]> =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker ??= start();
      worker.postMessage({ id, question });
    });

  return {
    check: (model, data, loss) => ask({ kind: 'check', model, data, loss }),
    describe(task, seed) {
      // The layout and first weights follow from topology and seed alone.
      const key = `${seed}/${JSON.stringify([task.model, task.data, task.loss])}`;
      let answer = described.get(key);
      if (answer === undefined) {
        answer = ask({ kind: 'describe', task, seed });
        described.set(key, answer);
        answer.catch(() => described.delete(key));
      }
      return answer;
    },
    evaluate: (task, weights) => ask({ kind: 'evaluate', task, weights }),
    samples: (task, share, of) => ask({ kind: 'samples', task, share, of }),
    async close() {
      await worker?.terminate();
    },
  };
}
