import {
  CoppiceError,
  type DataSchema,
  type ModelNumbers,
  RunSummarySchema,
  type RunTerms,
  runTerms,
  SentPlanSchema,
  TaskInfoSchema,
  termsVersion,
  tolerant,
} from '@coppice/protocol';
import * as z from 'zod/mini';
import { type Requests, read } from './requests.ts';

const RunsSchema = tolerant(z.array(z.pick(RunSummarySchema, { id: true, task: true, status: true })));
const TasksSchema = tolerant(
  z.array(
    z.pick(TaskInfoSchema, {
      id: true,
      parameters: true,
      trainable: true,
      frozen: true,
      plan: true,
      data: true,
    }),
  ),
);

/** What would leave this browser in a run, in plain facts: for the question whether a person agrees. */
export interface RunFacts extends RunTerms {
  /** The version of the consent, for `takePart`: runs with the same one ask for the same. */
  readonly terms: string;
  /** The newest run of the task that is open; null: there is none, and these are the terms by the task's defaults. */
  readonly run: string | null;
}

/** What runs of a coordinator ask for. All methods throw as `Requests.get` and `read` do. */
export class TermsOfRuns {
  readonly #url: string;
  readonly #requests: Requests;

  /** @param url the coordinator, without a slash at its end. */
  constructor(url: string, requests: Requests) {
    this.#url = url;
    this.#requests = requests;
  }

  /** The terms of the newest run of a task that is open; where none is, those of the task's defaults. */
  async now(task: string): Promise<RunFacts> {
    const runs = await this.#read('/api/runs', RunsSchema);
    const run = runs.find(
      (one) => one.task === task && (one.status === 'running' || one.status === 'paused'),
    );
    const described = await this.#task(task);
    const plan = run === undefined ? (described.plan as object) : await this.#plan(run.id);
    const terms = runTerms(described, plan);
    return { terms: termsVersion(terms), run: run?.id ?? null, ...terms };
  }

  /** The version of the terms of a run. */
  async versionOf(task: string, run: string): Promise<string> {
    return termsVersion(runTerms(await this.#task(task), await this.#plan(run)));
  }

  async #task(task: string): Promise<ModelNumbers & { readonly plan: unknown; readonly data: DataSchema }> {
    const tasks = await this.#read('/api/tasks', TasksSchema);
    const found = tasks.find(({ id }) => id === task);
    if (found !== undefined) return found;
    throw new CoppiceError('task-unknown', `The coordinator has no task "${task}".`);
  }

  #plan(run: string) {
    return this.#read(`/api/runs/${run}/plan`, SentPlanSchema);
  }

  async #read<T extends z.ZodMiniType>(path: string, schema: T): Promise<z.infer<T>> {
    const address = `${this.#url}${path}`;
    return read(await this.#requests.get(address, 'no-cache'), schema, address);
  }
}
