import { checkNesting } from '@coppice/model-files';
import type { Clock } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import { CHECK_TIMEOUT, CoppiceError, MODEL_JOB_TIMEOUT, type Task } from '@coppice/protocol';
import { toBytes, toFloat32 } from '../storage/blobs.ts';
import type { Results } from './jobs.ts';
import { Lane } from './lane.ts';
import type { ModelWorker } from './model-worker.ts';
import { sharedCopy } from './shared-copy.ts';
import { together } from './together.ts';
import type { Limit } from './worker-thread.ts';

export interface ThreadedModelsOptions {
  /** Threads that share one evaluation, each with the test data and a model of its own; left out: 1. */
  readonly threads?: number;
  /** True to load the threads' data at once instead of on first use. */
  readonly eager?: boolean;
  /**
   * True where all models are the program's own, as in a simulation: no job has to be kept from another, so all share the
   * evaluation threads.
   */
  readonly trusted?: boolean;
  /** The clock of job timeouts; left out, the machine's. */
  readonly clock?: Clock;
  /** Replaces the threads' script, for tests. */
  readonly script?: URL;
}

/** Threads for each kind of work beside evaluation: one stays free during a slow job of the other. */
const AT_ONCE = 2;

/**
 * Runs model work in threads: sums over ten thousand images must not delay a heartbeat. Checks, descriptions, samples
 * and evaluations each have a queue and threads of their own, so that rounds wait for nothing but other rounds.
 * Evaluation threads stay; the others end after some idle time.
 */
export function threadedModels(options: ThreadedModelsOptions = {}): ModelWorker {
  const { eager = false, trusted = false, clock = systemClock } = options;
  const script = options.script ?? new URL('./worker.ts', import.meta.url);
  const threads = Math.max(1, options.threads ?? 1);
  const lane = (size: { threads: number; kept: number; perTask: number }) =>
    new Lane({ script, clock, ...size });
  const evaluations = lane({ threads: trusted ? threads : threads + 1, kept: threads, perTask: threads });
  const apart = (size: { threads: number; kept: number; perTask: number }) =>
    trusted ? evaluations : lane(size);
  const checks = apart({ threads: AT_ONCE, kept: 0, perTask: AT_ONCE });
  const descriptions = apart({ threads: AT_ONCE, kept: 0, perTask: 1 });
  const samples = apart({ threads: 1, kept: 0, perTask: 1 });
  // One at a time: each holds a model and the file of it.
  const exports = apart({ threads: 1, kept: 0, perTask: 1 });
  const lanes = new Set([checks, descriptions, samples, exports, evaluations]);
  const described = new Kept<Results['describe']>(1);
  const layouts = new Kept<Results['layout']>(1000);
  if (eager) {
    descriptions.warm(1);
    evaluations.warm(threads);
  }
  return {
    async check(model, data, loss) {
      // Before it is copied to a thread, which takes a call for each level.
      checkNesting(model);
      const job = { kind: 'check', model, data, loss } as const;
      const checked = await checks.do('', job, checkLimit);
      layouts.put(modelKey({ model: checked.topology, data, loss: checked.loss }), checked.layout);
      return checked;
    },
    layout: (task) =>
      layouts.get(modelKey(task), () =>
        descriptions.do(
          task.id,
          { kind: 'layout', task },
          limitOf(`Describing the model of the task "${task.id}"`),
        ),
      ),
    describe(task, seed) {
      const limit = limitOf(`Drawing the first weights of the task "${task.id}"`);
      return described.get(`${seed}/${modelKey(task)}`, () =>
        descriptions.do(task.id, { kind: 'describe', task, seed }, limit),
      );
    },
    readWeights: async (file) =>
      checks.do(
        '',
        { kind: 'read-weights', bytes: await sharedCopy(file) },
        limitOf('Reading the given weights'),
      ),
    fitWeights: async (layout, given) =>
      checks.do(
        '',
        {
          kind: 'fit-weights',
          layout,
          bytes: await sharedCopy('file' in given ? given.file : toBytes(given.weights)),
          of: 'file' in given ? null : given.layout,
        },
        limitOf('Fitting the given weights to the model'),
      ),
    async evaluate(task, weights) {
      // One copy for all threads to read.
      const shared = toFloat32(await sharedCopy(toBytes(weights)));
      const limit = limitOf(`Evaluating a model of the task "${task.id}"`);
      const shares = await Promise.all(
        Array.from({ length: threads }, (_, share) =>
          evaluations.do(task.id, { kind: 'evaluate', task, weights: shared, share, of: threads }, limit),
        ),
      );
      return together(shares, task);
    },
    export: async (task, weights, format, facts) =>
      exports.do(
        task.id,
        { kind: 'export', task, weights: toFloat32(await sharedCopy(toBytes(weights))), format, facts },
        limitOf(`Writing a model of the task "${task.id}" as ${format}`),
      ),
    samples: (task, share, of) =>
      samples.do(
        task,
        { kind: 'samples', task, share, of },
        limitOf(`Sharing out the samples of the task "${task}"`),
      ),
    async close() {
      const why = new CoppiceError(
        'coordinator-stopping',
        'The coordinator is going down. Ask again when it is up.',
      );
      await Promise.all([...lanes].map((one) => one.close(why)));
    },
  };
}

const checkLimit: Limit = {
  milliseconds: CHECK_TIMEOUT,
  exceeded: () =>
    new CoppiceError(
      'model-invalid',
      `This model can't be trained here: to build it and take one step on one example took more than ${CHECK_TIMEOUT / 1000} s. Use a smaller model or shorter sequences; if the coordinator was busy, try again.`,
    ),
};

function limitOf(what: string): Limit {
  return {
    milliseconds: MODEL_JOB_TIMEOUT,
    exceeded: () =>
      new CoppiceError(
        'evaluation-failed',
        `${what} took more than ${MODEL_JOB_TIMEOUT / 1000} s and was ended.`,
      ),
  };
}

/** The cache key of layout and initial weights, which follow from topology, data, loss and seed alone. */
function modelKey({ model, data, loss }: Pick<Task, 'model' | 'data' | 'loss'>): string {
  return JSON.stringify([model, data, loss]);
}

/** A cache of the newest answers; failed ones are not kept. */
class Kept<T> {
  readonly #answers = new Map<string, Promise<T>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = ask();
    this.#keep(key, answer);
    answer.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    return answer;
  }

  put(key: string, answer: T): void {
    this.#keep(key, Promise.resolve(answer));
  }

  #keep(key: string, answer: Promise<T>): void {
    this.#answers.set(key, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#most) break;
      this.#answers.delete(oldest);
    }
  }
}
