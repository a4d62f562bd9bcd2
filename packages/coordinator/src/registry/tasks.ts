import { builtInTasks } from '@coppice/datasets';
import { fitRange, invalid } from '@coppice/model-files';
import {
  type AgreedScaling,
  awaitsScaling,
  CoppiceError,
  type CreateTask,
  completePlan,
  defaultMetrics,
  isFrozen,
  type Layout,
  type ModelNumbers,
  modelNumbers,
  scalingIn,
  type Task,
  type TaskInfo,
  TaskSchema,
  targetSize,
  withScaling,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { hashInSlices, toBytes } from '../storage/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { taskExists } from '../storage/storage-error.ts';
import type { WeightsDesk } from './weights-desk.ts';

/** The most tasks that a refusal names: anybody may ask for one that there is not. */
const MOST_NAMED = 20;

/** The most layers that a refusal names. */
const MOST_LAYERS = 5;

/** The tasks: built-in ones and the admin's own. */
export class Tasks {
  readonly #storage: Storage;
  readonly #models: ModelWorker;
  readonly #desk: WeightsDesk;
  readonly #own = new Map<string, Task>();
  readonly #builtIn = new Map<string, Task>(builtInTasks.map((task) => [task.id, task]));
  readonly #sizes = new Map<string, Promise<ModelNumbers>>();

  constructor({ storage, models, desk }: { storage: Storage; models: ModelWorker; desk: WeightsDesk }) {
    this.#storage = storage;
    this.#models = models;
    this.#desk = desk;
  }

  async recover(): Promise<void> {
    for (const task of await this.#storage.tasks()) this.#own.set(task.id, task);
  }

  /** @throws CoppiceError `task-unknown`. */
  get(id: string): Task {
    const task = this.#builtIn.get(id) ?? this.#own.get(id);
    if (task !== undefined) return task;
    const ids = this.all().map((one) => one.id);
    const there =
      ids.length <= MOST_NAMED
        ? `The tasks are: ${ids.join(', ')}.`
        : `There are ${ids.length} tasks; GET /api/tasks lists them.`;
    throw new CoppiceError('task-unknown', `There is no task "${id}". ${there}`);
  }

  all(): Task[] {
    return [...this.#builtIn.values(), ...this.#own.values()];
  }

  /**
   * Gives a task the scaling that its participants agreed on, unless it has one: the first one stays.
   *
   * @returns the scaling that the task has now.
   * @throws CoppiceError `storage-failed` and its kin.
   */
  async agreeScaling(id: string, agreed: AgreedScaling): Promise<AgreedScaling> {
    const task = await this.#storage.changeTask(id, (stored) =>
      awaitsScaling(stored.data) ? { ...stored, data: withScaling(stored.data, agreed) } : stored,
    );
    this.#own.set(id, task);
    return scalingIn(task.data) ?? agreed;
  }

  async info(task: Task): Promise<TaskInfo> {
    const { id, title, description, data, heldOut, licence, samples } = task;
    const builtIn = this.#builtIn.has(id);
    let numbers = this.#sizes.get(id);
    if (numbers === undefined) {
      numbers = this.#models.layout(task).then(modelNumbers);
      this.#sizes.set(id, numbers);
      // Asked again next time: a thread that ended says nothing about the model.
      numbers.catch(() => this.#sizes.delete(id));
    }
    return {
      id,
      title,
      description,
      data,
      ...objectiveOf(task),
      heldOut,
      ...(licence === undefined ? {} : { licence }),
      samples,
      weights: task.weights === undefined ? 'none' : 'given',
      builtIn,
      centralEvaluation: builtIn,
      ...(await numbers),
      plan: { ...completePlan(task.planDefaults, {}) },
    };
  }

  /**
   * Adds a task of the admin's own.
   *
   * @throws CoppiceError `task-exists`, `model-invalid` with the fault, `task-invalid`; `weights-invalid`,
   *   `checkpoint-unknown` where the named weights are not there or do not fit.
   */
  async create(input: CreateTask): Promise<Task> {
    if (this.#builtIn.has(input.id) || this.#own.has(input.id)) throw taskExists(input.id);
    const { data } = input;
    if (targetSize(data) > 1)
      throw new CoppiceError(
        'task-invalid',
        'Tasks with several numbers as their target cannot be created yet. Make a task for each number.',
      );
    const { topology, loss } = await this.#models.check(input.model, data, input.loss ?? null);
    const layout = await this.#models.layout({ id: input.id, model: topology, data, loss });
    const given = await this.#given(input, layout);
    const task = TaskSchema.parse({
      id: input.id,
      title: input.title,
      description: input.description,
      data: data.kind === 'image' ? fitRange(data, topology) : data,
      model: topology,
      loss,
      huberDelta: input.huberDelta,
      classWeights: input.classWeights,
      metrics: input.metrics ?? defaultMetrics(data),
      threshold: input.threshold,
      heldOut: input.heldOut,
      ...(given === undefined ? {} : { weights: await hashInSlices(toBytes(given)) }),
      ...(input.licence === undefined ? {} : { licence: input.licence }),
      samples: false,
      planDefaults: {},
    });
    // Another request may have taken the id while the model was checked: storage decides.
    await this.#storage.addTask(task, given);
    this.#own.set(task.id, task);
    return task;
  }

  /** The weights of a new task; without any, none of its layers may be frozen: they would keep random numbers. */
  async #given({ weights }: CreateTask, layout: Layout): Promise<Float32Array | undefined> {
    if (weights !== undefined) return this.#desk.fitting(weights, layout);
    const frozen = [...new Set(layout.filter(isFrozen).map(({ name }) => layerOf(name)))];
    if (frozen.length === 0) return undefined;
    const more = frozen.length > MOST_LAYERS ? ` and ${frozen.length - MOST_LAYERS} more` : '';
    const names = frozen.slice(0, MOST_LAYERS).map((name) => JSON.stringify(name));
    throw invalid(
      `its ${frozen.length === 1 ? 'layer' : 'layers'} ${names.join(', ')}${more} ${frozen.length === 1 ? 'is' : 'are'} frozen ("trainable": false), and training never changes frozen layers: without given weights they would stay random. Give the model's weights too, or set "trainable": true`,
    );
  }
}

/** The layer of a weight such as `base/dense/kernel`. */
function layerOf(name: string): string {
  const at = name.lastIndexOf('/');
  return at === -1 ? name : name.slice(0, at);
}

/** The parts of a task that say how its model is trained and measured. */
function objectiveOf({ loss, huberDelta, classWeights, metrics, threshold }: Task) {
  return {
    loss,
    ...(huberDelta === undefined ? {} : { huberDelta }),
    ...(classWeights === undefined ? {} : { classWeights }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}
