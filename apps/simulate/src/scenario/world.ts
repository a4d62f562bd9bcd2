import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coordinator, noLimits, startCoordinator, threadedModels } from '@coppice/coordinator';
import { builtInTask, type Stream } from '@coppice/datasets';
import { httpTasks, type TaskModel, type TaskSource } from '@coppice/participant';
import { ManualClock, seededRandom } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import {
  type CheckpointId,
  CoppiceError,
  type CreateTask,
  checkpointId,
  layoutSize,
  type PlanInputValues,
  type Release,
  type Round,
} from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { CoordinatorLink } from '../coordinator-link.ts';
import { Population } from './population.ts';
import type { Scenario } from './scenario.ts';

/** Milliseconds of a period: a day, since plans state their windows in days. */
export const PERIOD = 24 * 3600 * 1000;

/** The time of a world's beginning: the same in all, so that times repeat. */
const BEGINNING = Date.UTC(2026, 0, 5);

/** A checkpoint, with the hash of its weights. */
export interface Made {
  readonly checkpoint: CheckpointId;
  readonly hash: string;
}

/** The work of runs. */
export interface RunCost {
  /** Committed. */
  readonly rounds: number;
  /** Examples that devices trained on, over epochs and rounds. */
  readonly trained: number;
}

/** A coordinator on a clock that is moved by hand, with the devices of a scenario. */
export class World {
  readonly clock: ManualClock;
  readonly link: CoordinatorLink;
  readonly population: Population;
  readonly stream: Stream;
  /** The numbers of the task's model. */
  readonly parameters: number;
  readonly source: TaskSource;
  readonly #seed: number;
  readonly #cleanUp: (() => unknown)[];
  #released: number | null = null;

  private constructor(parts: {
    clock: ManualClock;
    link: CoordinatorLink;
    population: Population;
    stream: Stream;
    parameters: number;
    source: TaskSource;
    seed: number;
    cleanUp: (() => unknown)[];
  }) {
    this.clock = parts.clock;
    this.link = parts.link;
    this.population = parts.population;
    this.stream = parts.stream;
    this.parameters = parts.parameters;
    this.source = parts.source;
    this.#seed = parts.seed;
    this.#cleanUp = parts.cleanUp;
  }

  /** Starts a coordinator with the scenario's task, and connects devices that have the examples of period 0. */
  static async open(scenario: Scenario, seed: number): Promise<World> {
    const cleanUp: (() => unknown)[] = [];
    try {
      const stream = await scenario.stream(scenario.size, seed);
      const { task } = stream;
      const clock = new ManualClock(BEGINNING);
      const { url, adminKey } = await ownCoordinator(clock, seed, cleanUp);
      const link = new CoordinatorLink(url, adminKey);
      cleanUp.push(() => link.close());
      if (builtInTask(task.id) === undefined) await link.request('POST', '/api/tasks', created(stream));
      const parameters = await parametersOf(stream);
      const source = fetchedOnce(httpTasks(url, { clock: systemClock }));
      const population = new Population({
        url,
        clock,
        task,
        seed,
        source,
        count: scenario.size.participants,
        modelBytes: parameters * Float32Array.BYTES_PER_ELEMENT,
      });
      cleanUp.push(() => population.close());
      await population.add((device) => stream.examples(device, 0));
      await population.connect();
      return new World({ clock, link, population, stream, parameters, source, seed, cleanUp });
    } catch (thrown) {
      for (const step of cleanUp.reverse()) await step();
      throw thrown;
    }
  }

  /** Moves the clock to the beginning of a period, from 1, unless that is past. Period 0 lasts as long as any. */
  goTo(period: number): void {
    this.clock.advance(Math.max(0, BEGINNING + period * PERIOD - this.clock.now()));
  }

  /**
   * Plays a run with all devices to its end.
   *
   * @throws CoppiceError where it does not finish.
   */
  async train(plan: PlanInputValues, from: 'production' | null): Promise<Made & RunCost> {
    const run = await this.link.createRun({
      task: this.stream.task.id,
      plan,
      start: false,
      from,
      secret: String(this.#seed),
    });
    await this.population.join(run.id);
    await this.link.act(run.id, 'start');
    await this.population.finish();
    const { status, round, checkpoint: hash, reason } = await this.link.run(run.id);
    if (status !== 'finished')
      throw CoppiceError.fromWire(reason ?? { code: 'internal', message: `The run ${run.id} is ${status}.` });
    return { checkpoint: checkpointId(run.id, round), hash, ...(await this.costOf(run.id)) };
  }

  /** The work of a run that is over. */
  async costOf(run: string): Promise<RunCost> {
    const { epochs = 1 } = (await this.link.run(run)).plan as { epochs?: number };
    const rounds = (await this.link.rounds(run)).filter(({ outcome }) => outcome === 'committed');
    return {
      rounds: rounds.length,
      trained: rounds.reduce((sum, { examples }: Round) => sum + examples * epochs, 0),
    };
  }

  /** Moves production, as an admin does who knows its last move. */
  async release({ checkpoint }: Made, reason: string): Promise<void> {
    const { sequence } = await this.link.request<Release>(
      'POST',
      `/api/tasks/${this.stream.task.id}/releases`,
      { channel: 'production', checkpoint, expected: this.#released, reason },
    );
    this.#released = sequence;
  }

  async close(): Promise<void> {
    for (const step of this.#cleanUp.reverse()) await step();
  }
}

async function ownCoordinator(
  clock: ManualClock,
  seed: number,
  cleanUp: (() => unknown)[],
): Promise<Coordinator> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-scenario-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  // Its limits of time are the machine's: they guard against models that never end.
  const models = threadedModels({ trusted: true });
  cleanUp.push(() => models.close());
  const random = seededRandom(seed, 'secrets of a scenario');
  const coordinator = await startCoordinator({
    config: { ...noLimits, port: 0, dataDir: folder, operator: 'a scenario', logLevel: 'error' },
    flush: false,
    drawSecret: () => Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join(''),
    clock,
    models,
  });
  cleanUp.push(() => coordinator.close());
  return coordinator;
}

function created({ task: { id, title, description, data, model, loss, heldOut } }: Stream): CreateTask {
  return { id, title, description, data, model, loss, heldOut };
}

async function parametersOf({ task }: Stream): Promise<number> {
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const trainer = await createTrainer(description, { backend: 'planned', seed: 0 });
  const size = layoutSize(trainer.layout);
  trainer.dispose();
  return size;
}

/** Each model is fetched once, for all devices of the world. */
function fetchedOnce(source: TaskSource): TaskSource {
  const models = new Map<string, Promise<TaskModel>>();
  return {
    ...source,
    model(task, hash) {
      const model = models.get(hash) ?? source.model(task, hash);
      models.set(hash, model);
      return model;
    },
  };
}
