import { builtInTasks } from '@coppice/datasets';
import { fitRange } from '@coppice/model-files';
import {
  CoppiceError,
  type CreateTask,
  completePlan,
  type ModelNumbers,
  modelNumbers,
  type Task,
  type TaskInfo,
  TaskSchema,
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
    const { id, title, description, data, loss, heldOut, licence, samples } = task;
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
      loss,
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
    const number = data.kind === 'table' && data.target.kind === 'number';
    const loss = input.loss ?? (number ? 'meanSquaredError' : 'categoricalCrossentropy');
    const model = await this.#models.check(input.model, data, loss);
    const task = TaskSchema.parse({
      id: input.id,
      title: input.title,
      description: input.description,
      data: data.kind === 'image' ? fitRange(data, model) : data,
      model,
      loss,
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
