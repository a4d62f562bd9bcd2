import { builtInTasks } from '@coppice/datasets';
import {
  CoppiceError,
  type CreateTask,
  layoutSize,
  type Task,
  type TaskInfo,
  TaskSchema,
} from '@coppice/protocol';
import type { Evaluator } from '../evaluation/evaluator.ts';
import type { Storage } from '../storage/storage.ts';
import { taskExists } from '../storage/storage-error.ts';
import { completePlan } from './runs.ts';

/** What can be learned: the built-in tasks and the admin's own. */
export class Tasks {
  readonly #storage: Storage;
  readonly #evaluator: Evaluator;
  readonly #own = new Map<string, Task>();
  readonly #builtIn = new Map<string, Task>(builtInTasks.map((task) => [task.id, task]));
  readonly #sizes = new Map<string, Promise<number>>();

  constructor(storage: Storage, evaluator: Evaluator) {
    this.#storage = storage;
    this.#evaluator = evaluator;
  }

  async recover(): Promise<void> {
    for (const task of await this.#storage.tasks()) this.#own.set(task.id, task);
  }

  /** @throws CoppiceError `task-unknown`. */
  get(id: string): Task {
    const task = this.#builtIn.get(id) ?? this.#own.get(id);
    if (task !== undefined) return task;
    throw new CoppiceError(
      'task-unknown',
      `There is no task "${id}". The tasks are: ${this.all()
        .map((one) => one.id)
        .join(', ')}.`,
    );
  }

  all(): Task[] {
    return [...this.#builtIn.values(), ...this.#own.values()];
  }

  async info(task: Task): Promise<TaskInfo> {
    const { id, title, description, data, loss, samples } = task;
    const builtIn = this.#builtIn.has(id);
    let parameters = this.#sizes.get(id);
    if (parameters === undefined) {
      parameters = this.#evaluator.layout(task).then(layoutSize);
      this.#sizes.set(id, parameters);
    }
    return {
      id,
      title,
      description,
      data,
      loss,
      samples,
      builtIn,
      centralEvaluation: builtIn,
      parameters: await parameters,
      plan: { ...completePlan(task, {}) },
    };
  }

  /**
   * Adds a task of the admin's own.
   *
   * @throws CoppiceError `task-exists`, `model-invalid` (saying what is wrong with it), `task-invalid`.
   */
  async create(input: CreateTask): Promise<Task> {
    if (this.#builtIn.has(input.id) || this.#own.has(input.id)) throw taskExists(input.id);
    const { data } = input;
    const number = data.kind === 'table' && data.target.kind === 'number';
    const loss = input.loss ?? (number ? 'meanSquaredError' : 'categoricalCrossentropy');
    const task = TaskSchema.parse({
      id: input.id,
      title: input.title,
      description: input.description,
      data,
      model: await this.#evaluator.check(input.model, data, loss),
      loss,
      samples: false,
      planDefaults: {},
    });
    // Another request may have taken the id while the model was checked: storage decides.
    await this.#storage.addTask(task);
    this.#own.set(task.id, task);
    return task;
  }
}
