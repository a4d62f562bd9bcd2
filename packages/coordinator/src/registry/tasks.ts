import { builtInTasks } from '@coppice/datasets';
import {
  CoppiceError,
  type CreateTask,
  completePlan,
  defaultMetrics,
  type ModelNumbers,
  modelNumbers,
  type Task,
  type TaskInfo,
  TaskSchema,
  targetSize,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { Storage } from '../storage/storage.ts';
import { taskExists } from '../storage/storage-error.ts';

/** The most tasks that a refusal names: anybody may ask for one that there is not. */
const MOST_NAMED = 20;

/** The tasks: built-in ones and the admin's own. */
export class Tasks {
  readonly #storage: Storage;
  readonly #models: ModelWorker;
  readonly #own = new Map<string, Task>();
  readonly #builtIn = new Map<string, Task>(builtInTasks.map((task) => [task.id, task]));
  readonly #sizes = new Map<string, Promise<ModelNumbers>>();

  constructor(storage: Storage, models: ModelWorker) {
    this.#storage = storage;
    this.#models = models;
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
      builtIn,
      centralEvaluation: builtIn,
      ...(await numbers),
      plan: { ...completePlan(task.planDefaults, {}) },
    };
  }

  /**
   * Adds a task of the admin's own.
   *
   * @throws CoppiceError `task-exists`, `model-invalid` with the fault, `task-invalid`.
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
    const task = TaskSchema.parse({
      id: input.id,
      title: input.title,
      description: input.description,
      data,
      model: topology,
      loss,
      huberDelta: input.huberDelta,
      classWeights: input.classWeights,
      metrics: input.metrics ?? defaultMetrics(data),
      threshold: input.threshold,
      heldOut: input.heldOut,
      ...(input.licence === undefined ? {} : { licence: input.licence }),
      samples: false,
      planDefaults: {},
    });
    // Another request may have taken the id while the model was checked: storage decides.
    await this.#storage.addTask(task);
    this.#own.set(task.id, task);
    return task;
  }
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
