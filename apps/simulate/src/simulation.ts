import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coordinator, noLimits, startCoordinator, threadedModels } from '@coppice/coordinator';
import { parsePartition, partition, type RawExamples } from '@coppice/datasets';
import { hasTaskData, loadTaskData } from '@coppice/datasets/node';
import {
  CoppiceError,
  classesOf,
  REST_TIMEOUT,
  type Round,
  type Run,
  reachesTarget,
  type TaskInfo,
} from '@coppice/protocol';
import type { ClientThreads } from './client-threads.ts';
import { CoordinatorLink } from './coordinator-link.ts';
import type { DoneEvent, RoundEvent } from './events.ts';
import { type SimulateOptions, UsageError } from './options.ts';

/** Threads that evaluate, each with a copy of the test data. */
const EVALUATION_THREADS = 4;

/** Consecutive abandoned attempts at a round that end the simulation. */
const MOST_ATTEMPTS = 20;
/** Pauses before a round is retried, in milliseconds: simulated clients are always present, so they are short. */
const RETRY_PAUSES = { first: 10, longest: 100 };

/** A listener to the events of a simulation. */
export interface SimulationObserver {
  onJoined(clients: number): void;
  onRound(event: RoundEvent): void;
  onAbandoned(round: Round): void;
  /** Called during a round with the number of updates accepted, of those asked for. */
  onProgress(accepted: number, asked: number): void;
}

/** Clean-up functions, called in reverse at the end. */
type CleanUp = () => unknown;

export interface SimulationResult {
  readonly done: DoneEvent;
  readonly run: Run;
  readonly task: TaskInfo;
  readonly partition: {
    readonly perClient: readonly number[];
    readonly classesPerClient: readonly number[][] | null;
  };
}

/**
 * Runs N headless clients through one run and returns when it has ended.
 *
 * @param threads threads of the clients; ended with the run.
 * @throws UsageError where the task's data can't be partitioned as the flags ask.
 * @throws CoppiceError where the run cannot be made or fails, a round is abandoned 20 times in a row, or `signal` is
 *   aborted. A run on another coordinator is stopped first, and the message names it.
 */
export async function simulate(
  options: SimulateOptions,
  observer: SimulationObserver,
  signal: AbortSignal,
  threads: ClientThreads,
): Promise<SimulationResult> {
  const cleanUp: CleanUp[] = [() => threads.close()];
  const failure = new Failure(signal);
  try {
    threads.onFailure(failure.report);
    const data = hasTaskData(options.task) ? loadTaskData(options.task) : null;
    // Waited for below; a coordinator that does not start is told first.
    data?.catch(() => {});
    const { url, key } =
      options.url === null
        ? await ownCoordinator(cleanUp)
        : { url: options.url, key: options.adminKey as string };
    const link = new CoordinatorLink(url, key);
    cleanUp.push(() => link.close());
    const tasks = await link.tasks();
    const task = tasks.find((one) => one.id === options.task);
    if (task === undefined || data === null) {
      const known = tasks.filter(({ id }) => hasTaskData(id)).map(({ id }) => id);
      throw new UsageError(
        `--task ID takes a task that ships with data, one of ${known.join(', ')}; not "${options.task}".`,
      );
    }
    const shares = shareData(options, task, (await data).train);
    const run = await link.createRun({
      task: options.task,
      plan: options.plan,
      start: false,
      admission: options.invited ? 'invited' : 'open',
      // Known, so that the same seed draws the same cohorts.
      secret: String(options.plan.seed),
      ...(options.from === null ? {} : { from: options.from }),
    });
    const takePart = async (begun: () => void) => {
      const invitation = options.invited ? await link.invite(run.id, options.clients) : null;
      const { dropout, heldOut, backend } = options;
      const { seed } = options.plan;
      const common = { ...shares.data, url, run: run.id, invitation, seed, dropout, heldOut, backend };
      await failure.beside(
        threads.begin(
          shares.rows.map((rows, index) => ({ index, rows })),
          (clients) => ({ ...common, clients }),
          observer.onJoined,
        ),
      );
      begun();
      const ended = watchRun(link, run.id, { observer, failure, dropout });
      await link.act(run.id, 'start');
      return ended;
    };
    let begun = Date.now();
    const final = await takePart(() => {
      begun = Date.now();
    }).catch(async (thrown: unknown) => {
      // A coordinator of its own ends with the simulation, and the run with it.
      throw options.url === null ? thrown : await stopRun(link, run.id, thrown);
    });
    // A paused simulation is never resumed.
    if (final.run.status === 'failed' || final.run.status === 'paused')
      throw CoppiceError.fromWire(
        final.run.reason ?? { code: 'internal', message: 'The run did not go on.' },
      );
    const last = final.rounds.at(-1);
    const { plan } = final.run;
    const reachedAt = final.rounds.find((round) => reachesTarget(plan, round));
    const done: DoneEvent = {
      event: 'done',
      rounds: final.rounds.length,
      accuracy: last?.accuracy ?? null,
      roundsToTarget: reachedAt?.round ?? null,
      checkpoint: final.run.checkpoint,
      bytesUp: final.rounds.reduce((sum, round) => sum + round.bytesUp, 0),
      bytesDown: final.rounds.reduce((sum, round) => sum + round.bytesDown, 0),
      seconds: (Date.now() - begun) / 1000,
      capped: final.rounds.reduce((sum, round) => sum + round.capped, 0),
      scaled: final.rounds.reduce((sum, round) => sum + round.scaled, 0),
    };
    return { done, run: final.run, task, partition: shares.description };
  } finally {
    for (const step of cleanUp.reverse()) await step();
  }
}

/**
 * Stops a run that would have no participants any more.
 *
 * @param cause the reason that the simulation ends.
 * @returns the cause, with the run and its end in the message.
 */
async function stopRun(link: CoordinatorLink, run: string, cause: unknown): Promise<CoppiceError> {
  const why = CoppiceError.from(cause);
  const how = await link.act(run, 'stop', REST_TIMEOUT).then(
    () => `Its run ${run} was stopped.`,
    (thrown: unknown) => {
      const { code, message } = CoppiceError.from(thrown);
      return code === 'run-ended' || code === 'run-state'
        ? `Its run ${run} was over already.`
        : `Its run ${run} could not be stopped (${message}): stop it on the admin page.`;
    },
  );
  return new CoppiceError(why.code, `${why.message} ${how}`, { cause: why.cause ?? why });
}

/** The first failure of any part, as a rejection that every wait races against. */
class Failure {
  readonly #listeners = new Set<(error: Error) => void>();
  #error: Error | null = null;

  constructor(signal: AbortSignal) {
    const interrupted = () => this.report(new CoppiceError('run-ended', 'The simulation was interrupted.'));
    if (signal.aborted) interrupted();
    else signal.addEventListener('abort', interrupted);
  }

  report = (error: Error): void => {
    this.#error ??= error;
    for (const listener of this.#listeners) listener(this.#error);
  };

  /** Resolves as `promise`, unless something fails first. */
  beside<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error);
      this.#listeners.add(reject);
      promise.then(resolve, reject).finally(() => this.#listeners.delete(reject));
    });
  }
}

async function ownCoordinator(cleanUp: CleanUp[]): Promise<{ url: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-simulate-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  // No client trains during an evaluation: all processors are free.
  const models = threadedModels({
    threads: Math.min(EVALUATION_THREADS, availableParallelism()),
    eager: true,
    trusted: true,
  });
  cleanUp.push(() => models.close());
  const coordinator: Coordinator = await startCoordinator({
    config: { ...noLimits, port: 0, dataDir: folder, operator: 'a simulation' },
    // The folder does not outlive this process: a disk that lags behind loses nothing.
    flush: false,
    retryPauses: RETRY_PAUSES,
    models,
  });
  cleanUp.push(() => coordinator.close());
  return { url: coordinator.url, key: coordinator.adminKey };
}

function shareData(options: SimulateOptions, task: TaskInfo, train: RawExamples) {
  const rows = dealOut(train.labels, options);
  const classes = classesOf(task.data);
  const classesPerClient =
    classes === null
      ? null
      : rows.map((own) => {
          const counts = new Array<number>(classes.length).fill(0);
          for (const row of own) {
            const label = train.labels[row] as number;
            counts[label] = (counts[label] as number) + 1;
          }
          return counts;
        });
  return {
    rows,
    data: {
      features: shared(train.features),
      labels: shared(train.labels),
      featureSize: train.features.length / train.count,
    },
    description: { perClient: rows.map((own) => own.length), classesPerClient },
  };
}

/** Partitions the training data. @throws UsageError naming the flags: the bounds depend on the data. */
function dealOut(labels: ArrayLike<number>, options: SimulateOptions): Uint32Array[] {
  const how = parsePartition(options.partition);
  const shards = how.kind === 'shards' ? how.shards : 1;
  if (options.clients * shards > labels.length) {
    const examples = `${options.task} (${labels.length} examples)`;
    throw new UsageError(
      how.kind === 'shards' && options.clients <= labels.length
        ? `--partition shards:S takes at most ${Math.floor(labels.length / options.clients)} shards each for ${options.clients} clients with ${examples}, not "${shards}".`
        : `--clients N takes at most ${labels.length} with ${examples}, not "${options.clients}".`,
    );
  }
  try {
    return partition(labels, options.clients, how, options.plan.seed);
  } catch (cause) {
    const error = CoppiceError.from(cause);
    if (error.code !== 'config-invalid') throw cause;
    throw new UsageError(
      `--partition HOW takes iid or shards:S with ${options.task}, not "${options.partition}". ${error.message}`,
      { cause },
    );
  }
}

/** A copy in shared memory, so that threads need no copies of their own. */
function shared<T extends Uint8Array | Float32Array | Float64Array>(values: T): T {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => T)(
    new SharedArrayBuffer(values.byteLength),
  );
  copy.set(values);
  return copy;
}

function watchRun(
  link: CoordinatorLink,
  run: string,
  { observer, failure, dropout }: { observer: SimulationObserver; failure: Failure; dropout: number },
): Promise<{ run: Run; rounds: RoundEvent[] }> {
  const { promise, resolve } = Promise.withResolvers<{ run: Run; rounds: RoundEvent[] }>();
  const rounds: RoundEvent[] = [];
  const seen = new Set<string>();
  let abandoned = 0;
  link.watch(
    run,
    {
      onRound(round) {
        const key = `${round.round}/${round.attempt}`;
        if (round.outcome === 'open') return observer.onProgress(round.accepted, round.asked);
        if (seen.has(key)) return;
        seen.add(key);
        if (round.outcome === 'abandoned') {
          observer.onAbandoned(round);
          abandoned++;
          if (abandoned === MOST_ATTEMPTS) failure.report(hopeless(round, dropout));
          return;
        }
        abandoned = 0;
        const event = roundEvent(round);
        rounds.push(event);
        observer.onRound(event);
      },
      onRun(changed) {
        const gaveUp = changed.status === 'paused' && changed.reason !== null;
        if (!gaveUp && !['finished', 'stopped', 'failed'].includes(changed.status)) return;
        if (changed.status === 'finished' && rounds.length < changed.round) return;
        resolve({ run: changed, rounds });
      },
    },
    failure.report,
  );
  return failure.beside(promise);
}

/** The error of a simulation whose round keeps failing. */
function hopeless({ round, reason }: Round, dropout: number): CoppiceError {
  const last = reason ?? { code: 'quorum-lost', message: 'No update came.' };
  const cure =
    last.code === 'quorum-lost' && dropout > 0
      ? ' A lower --dropout, or more clients, loses fewer rounds.'
      : '';
  return new CoppiceError(
    last.code,
    `Round ${round} was abandoned ${MOST_ATTEMPTS} times in a row, and the simulation ended. The last reason: ${last.message}${cure}`,
  );
}

function roundEvent(round: Round): RoundEvent {
  return {
    event: 'round',
    round: round.round,
    accuracy: round.central?.accuracy ?? null,
    loss: round.central?.loss ?? null,
    ...(round.central?.values === undefined ? {} : { values: round.central.values }),
    participants: round.accepted,
    bytesUp: round.bytesUp,
    bytesDown: round.bytesDown,
    seconds: ((round.endedAt ?? round.startedAt) - round.startedAt) / 1000,
    capped: round.capped ?? 0,
    scaled: round.scaled ?? 0,
  };
}
