import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RawExamples } from '@coppice/datasets';
import { hasTaskData, loadTaskData } from '@coppice/datasets/node';
import {
  CoppiceError,
  classesOf,
  type Metrics,
  type PlanValues,
  REST_TIMEOUT,
  type Run,
  reachesTarget,
  type TaskInfo,
  type Topology,
  targetError,
} from '@coppice/protocol';
import type { ClientThreads } from './client-threads.ts';
import { CoordinatorLink, type LayersModel } from './coordinator-link.ts';
import { type Dealt, dealOut, type SimulatedData } from './deal.ts';
import type { DoneEvent, RoundEvent } from './events.ts';
import { Failure } from './failure.ts';
import { type Fairness, fairness } from './fairness.ts';
import { openKept } from './kept.ts';
import { type SimulateOptions, UsageError, withDefaults } from './options.ts';
import { type CleanUp, ownCoordinator } from './own-coordinator.ts';
import { type OwnData, readOwnData } from './own-data.ts';
import { OwnTests } from './own-test.ts';
import type { PartitionDescription } from './report/partition-charts.ts';
import { type RoundObserver, RunProgress } from './run-progress.ts';
import { refuseSecond } from './second-simulation.ts';

/** A listener to the events of a simulation. */
export interface SimulationObserver extends RoundObserver {
  /** Called once, before the run is made and the first client starts. What it throws ends the simulation. */
  onPrepared(prepared: Prepared): void;
  onJoined(clients: number): void;
  /** Called with the rounds of an earlier start, where a kept simulation goes on. */
  onResumed(rounds: readonly RoundEvent[]): void;
}

/** What is known before the first client starts. */
export interface Prepared {
  /** With the number of clients that the partition has. */
  readonly options: SimulateOptions;
  readonly task: TaskInfo;
  readonly partition: PartitionDescription;
  /** Planned rounds. */
  readonly rounds: number;
  /** What data of the person's own became. */
  readonly notes: readonly string[];
}

export interface SimulationResult extends Prepared {
  readonly done: DoneEvent;
  /** The last model as tfjs loads it; null where no round was committed, or it could not be read. */
  readonly model: { readonly topology: LayersModel; readonly weights: Uint8Array } | null;
  /** The last model on each client's examples; null where they were not measured. */
  readonly fairness: Fairness | null;
  /** The reason that the simulation ended early; null where it did not. */
  readonly error: CoppiceError | null;
}

/**
 * Runs N headless clients through one run and returns when it has ended.
 *
 * @param threads threads of the clients; ended with the run.
 * @returns also where the run fails, a round is abandoned 20 times in a row, or `signal` is aborted: then with `error`.
 *   A run that the simulation made on another coordinator is stopped first, and the message names it.
 * @throws UsageError where the task's data can't be partitioned as the flags ask; CoppiceError where the simulation
 *   could not be prepared.
 */
export async function simulate(
  given: SimulateOptions,
  observer: SimulationObserver,
  signal: AbortSignal,
  threads: ClientThreads,
): Promise<SimulationResult> {
  const cleanUp: CleanUp[] = [() => threads.close()];
  let progress: RunProgress | null = null;
  let prepared: Prepared | null = null;
  const failure = new Failure(signal, () => interruption(progress, prepared));
  try {
    threads.onFailure(failure.report);
    const tests = new OwnTests();
    cleanUp.push(() => tests.close());
    const wasBegun = given.dataDir !== null && openKept(given.dataDir, given);
    const { url, key } =
      given.url === null
        ? await ownCoordinator(given.dataDir, cleanUp, tests)
        : { url: given.url, key: given.adminKey };
    const link = new CoordinatorLink(url, key);
    cleanUp.push(() => link.close());
    const joined = given.run === null ? null : await joinedRun(link, given.run);
    const { task, examples, test, chosen } = await sourceOf(link, given, joined?.task ?? null);
    checkTarget(chosen, task);
    const dealt = dealOut(chosen, examples);
    const { options } = dealt;
    const rounds = joined?.rounds ?? options.plan.rounds;
    if (test !== null) tests.add(task.id, test);
    prepared = { options, task, partition: dealt.description, rounds, notes: examples.notes };
    observer.onPrepared(prepared);
    if (options.url !== null && key !== null) await refuseSecond(link, options);
    const own = wasBegun ? ((await link.runs()).at(-1)?.id ?? null) : null;
    const run = joined?.id ?? own ?? (await createRun(link, options)).id;
    progress = new RunProgress(observer, failure, { task, dropout: options.dropout });
    if (own !== null) {
      progress.resume(await link.rounds(own));
      observer.onResumed(progress.rounds);
    }
    let begun = Date.now();
    const work: Work = { options, dealt, examples, url, key, run, threads, failure, observer, progress };
    let error: CoppiceError | null = null;
    try {
      await takePart(link, work, () => {
        begun = Date.now();
      });
    } catch (thrown) {
      error = await ended(link, work, thrown);
    }
    const model = progress.checkpoint === null ? null : await modelOf(link, task.id, run);
    const fair = error === null && model !== null ? await measure(threads, options, task, model) : null;
    const seconds = (Date.now() - begun) / 1000;
    // A coordinator elsewhere does not have the test data: the last model is measured here.
    const isMeasured = test === null || model === null || progress.rounds.at(-1)?.loss != null;
    const measured = isMeasured
      ? null
      : await tests.evaluate({ ...modelOfJson(model, task), id: task.id }, floats(model.weights));
    const done = doneOf(progress, { options, task, seconds, measured });
    return { ...prepared, done, model, fairness: fair, error };
  } finally {
    for (const step of cleanUp.reverse()) await step();
  }
}

interface Work {
  readonly options: SimulateOptions;
  readonly dealt: Dealt;
  readonly examples: SimulatedData;
  readonly url: string;
  readonly key: string | null;
  readonly run: string;
  readonly threads: ClientThreads;
  readonly failure: Failure;
  readonly observer: SimulationObserver;
  readonly progress: RunProgress;
}

/** Starts the clients and waits for the end of the run. @throws CoppiceError where the run did not go to its end. */
async function takePart(link: CoordinatorLink, work: Work, begun: () => void): Promise<void> {
  const { options, dealt, examples, url, key, run, threads, failure, observer, progress } = work;
  const { dropout, heldOut, backend, behaviour, dataDir } = options;
  // Only an admin may ask for the run; a run of its own is only this simulation's.
  const isOwn = options.run === null;
  const before = isOwn ? await link.run(run) : null;
  const isOver = before !== null && ['finished', 'stopped', 'failed'].includes(before.status);
  const stateDir = dataDir === null ? null : join(dataDir, 'clients');
  if (stateDir !== null) mkdirSync(stateDir, { recursive: true });
  const invitation = isOwn
    ? options.invited && !isOver
      ? await link.invite(run, options.clients)
      : null
    : options.invitation;
  const common = {
    url,
    run,
    invitation,
    seed: options.plan.seed,
    dropout,
    heldOut,
    backend,
    behaviour,
    stateDir,
  };
  const { train } = examples;
  const data = {
    features: shared(train.features),
    labels: shared(train.labels),
    featureSize: train.features.length / train.count,
  };
  await failure.beside(
    threads.begin(
      dealt.rows.map((rows, index) => ({ index, rows })),
      (clients) => ({ kind: 'begin', ...common, ...data, join: !isOver, clients }),
      observer.onJoined,
      (round) => {
        if (key === null && round.run === run) progress.onRoundEnd(round);
      },
    ),
  );
  begun();
  if (key === null) {
    const { status } = await progress.ask(link, run);
    if (status === 'failed') throw new CoppiceError('run-ended', `The run ${run} failed.`);
    return;
  }
  const ended = progress.watch(link, run, { paused: isOwn });
  // A rejection is told where it is awaited.
  ended.catch(() => {});
  if (before?.status === 'created') await link.act(run, 'start');
  if (before?.status === 'paused') await link.act(run, 'resume');
  const { status, reason } = await ended;
  if (status === 'failed' || (status === 'paused' && isOwn))
    throw CoppiceError.fromWire(reason ?? { code: 'internal', message: 'The run did not go on.' });
}

function createRun(link: CoordinatorLink, options: SimulateOptions): Promise<Run> {
  return link.createRun({
    task: options.task,
    plan: options.plan,
    start: false,
    admission: options.invited ? 'invited' : 'open',
    // Known, so that the same seed draws the same cohorts.
    secret: String(options.plan.seed),
    ...(options.from === null ? {} : { from: options.from }),
  });
}

/** @throws UsageError where the run is not there or is over. */
async function joinedRun(link: CoordinatorLink, id: string) {
  const found = (await link.runs()).find((run) => run.id === id);
  if (found === undefined) throw new UsageError(`--run ID: there is no run "${id}" on that coordinator.`);
  if (['finished', 'stopped', 'failed'].includes(found.status))
    throw new UsageError(`--run ID: the run ${id} is over (${found.status}).`);
  return found;
}

interface Source {
  readonly task: TaskInfo;
  readonly examples: SimulatedData;
  /** Test data of the person's own; null where the coordinator has its own. */
  readonly test: RawExamples | null;
  readonly chosen: SimulateOptions;
}

/** Defaults for a task that is made for the person's own data: they train small networks without a choice. */
const OWN_DEFAULTS: PlanValues = { optimizer: 'adam', learningRate: 0.01, batchSize: 16, epochs: 5 };

/** The task and its data: built-in ones, or the person's own, whose task is made where it is not there. */
async function sourceOf(
  link: CoordinatorLink,
  given: SimulateOptions,
  ofRun: string | null,
): Promise<Source> {
  if (given.data === null) {
    const task = await taskOf(link, ofRun ?? given.task);
    return { task, examples: await examplesOf(task), test: null, chosen: { ...given, task: task.id } };
  }
  const named = ofRun ?? (given.taskGiven ? given.task : null);
  const existing = named === null ? undefined : (await link.tasks()).find(({ id }) => id === named);
  const own = await readOwnData(given, existing?.data ?? null);
  const found = existing ?? (await link.tasks()).find(({ id }) => id === own.task.id);
  if (found !== undefined && JSON.stringify(found.data) !== JSON.stringify(own.data))
    throw new UsageError(
      `--data FILE: the coordinator has a task "${found.id}" with other columns. Name another by --task ID, or rename the file.`,
    );
  const task = found ?? (await makeTask(link, own));
  const isMade = existing === undefined && ofRun === null;
  const chosen = isMade ? withDefaults(given, OWN_DEFAULTS) : given;
  return { task, examples: own, test: own.test, chosen: { ...chosen, task: task.id } };
}

async function makeTask(link: CoordinatorLink, { task, weights }: OwnData): Promise<TaskInfo> {
  return link.createTask(
    weights === null ? task : { ...task, weights: (await link.sendWeights(weights)).hash },
  );
}

async function taskOf(link: CoordinatorLink, id: string): Promise<TaskInfo> {
  const tasks = await link.tasks();
  const task = tasks.find((one) => one.id === id);
  if (task !== undefined && hasTaskData(id)) return task;
  const known = tasks.filter((one) => hasTaskData(one.id)).map((one) => one.id);
  throw new UsageError(
    `--task ID takes a task that ships with data, one of ${known.join(', ')}; not "${id}".`,
  );
}

async function examplesOf(task: TaskInfo): Promise<SimulatedData> {
  const { train } = await loadTaskData(task.id);
  return { train, data: task.data, notes: [], column: () => null };
}

/** @throws UsageError where an accuracy is aimed for that the task does not have. */
function checkTarget({ plan }: SimulateOptions, task: TaskInfo): void {
  if (typeof plan.targetAccuracy === 'number' && classesOf(task.data) === null)
    throw new UsageError(
      `--target-accuracy A needs a task with classes: ${task.id} predicts numbers and has no accuracy.`,
    );
}

function interruption(progress: RunProgress | null, prepared: Prepared | null): CoppiceError {
  const rounds = progress?.rounds.length ?? 0;
  const when =
    prepared === null || rounds === 0
      ? 'before the end of its first round'
      : `after ${rounds} of ${prepared.rounds} rounds`;
  return new CoppiceError('run-ended', `The simulation was interrupted ${when}.`);
}

/** The reason of an early end, once a run of the simulation's own on another coordinator is stopped. */
async function ended(link: CoordinatorLink, { options, run }: Work, thrown: unknown): Promise<CoppiceError> {
  if (options.dataDir !== null) {
    const why = CoppiceError.from(thrown);
    return new CoppiceError(
      why.code,
      `${why.message} The same command with --data-dir ${options.dataDir} goes on from there.`,
      { cause: why.cause ?? why },
    );
  }
  // A coordinator of its own ends with the simulation, and the run with it; the run of somebody else goes on.
  if (options.url === null || options.run !== null) return CoppiceError.from(thrown);
  return stopRun(link, run, thrown);
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

/** The last model; `null` where the coordinator does not give it any more. */
async function modelOf(link: CoordinatorLink, task: string, run: string): Promise<SimulationResult['model']> {
  return link.model(task, run).catch(() => null);
}

async function measure(
  threads: ClientThreads,
  options: SimulateOptions,
  task: TaskInfo,
  model: NonNullable<SimulationResult['model']>,
): Promise<Fairness | null> {
  if (options.report === null) return null;
  const { model: topology, ...rest } = modelOfJson(model, task);
  const described = { ...rest, topology };
  const measures = await threads.measure({
    kind: 'measure',
    model: described,
    weights: floats(model.weights),
    data: task.data,
  });
  return fairness(measures, { task, on: options.heldOut > 0 ? 'held-out' : 'own' });
}

/** A model as the coordinator serves it, with the parts of its task that say how it is measured. */
function modelOfJson({ topology }: NonNullable<SimulationResult['model']>, { data, loss }: TaskInfo) {
  return { model: topology['modelTopology'] as Topology, data, loss };
}

function floats(bytes: Uint8Array): Float32Array {
  // A copy with a buffer of its own: that of a Buffer holds more.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

interface End {
  readonly options: SimulateOptions;
  readonly task: TaskInfo;
  readonly seconds: number;
  /** The last model on test data of the person's own; null where the coordinator measured it. */
  readonly measured: Metrics | null;
}

function doneOf({ rounds, checkpoint }: RunProgress, { options, task, seconds, measured }: End): DoneEvent {
  const last = rounds.at(-1);
  const error = measured === null ? last?.error : (targetError(measured, task) ?? undefined);
  const { targetAccuracy = null, targetMetric = 'accuracy', targetValue = null } = options.plan;
  const stopAt = { targetAccuracy, targetMetric, targetValue };
  const reachedAt = rounds.find((round) => reachesTarget(stopAt, round));
  return {
    event: 'done',
    rounds: rounds.length,
    accuracy: measured?.accuracy ?? last?.accuracy ?? null,
    ...(error === undefined ? {} : { error }),
    roundsToTarget: reachedAt?.round ?? null,
    checkpoint: checkpoint ?? '',
    bytesUp: rounds.reduce((sum, round) => sum + round.bytesUp, 0),
    bytesDown: rounds.reduce((sum, round) => sum + round.bytesDown, 0),
    seconds,
    capped: rounds.reduce((sum, round) => sum + round.capped, 0),
    scaled: rounds.reduce((sum, round) => sum + round.scaled, 0),
  };
}

/** A copy in shared memory, so that threads need no copies of their own. */
function shared<T extends RawExamples['features']>(values: T): T {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => T)(
    new SharedArrayBuffer(values.byteLength),
  );
  copy.set(values);
  return copy;
}
