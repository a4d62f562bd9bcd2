import { strategyOf } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  CoppiceError,
  defaultPlan,
  encodeFrame,
  firstIssue,
  float32Payload,
  layoutHash,
  type Model,
  type Plan,
  PlanSchema,
  type Run,
  type RunAction,
  type RunSummary,
  type Task,
  weightsHash,
} from '@coppice/protocol';
import type { Evaluator } from '../evaluation/evaluator.ts';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Audience } from '../rounds/audience.ts';
import { isOver } from '../rounds/machine.ts';
import { RunEngine } from '../rounds/run-engine.ts';
import type { RunObserver } from '../rounds/run-state.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import type { Tasks } from './tasks.ts';

export interface RunsOptions {
  readonly storage: Storage;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly audience: Audience;
  readonly evaluator: Evaluator;
  readonly events: EventLog;
  readonly tasks: Tasks;
}

/** What happens in runs, for whoever shows it. */
export interface RunsListener {
  runChanged(run: string): void;
  roundChanged(round: Parameters<RunObserver['roundChanged']>[0]): void;
  participantsChanged(run: string): void;
}

/** All runs: those with rounds to come have an engine, those that are over are only looked up. */
export class Runs {
  readonly #o: RunsOptions;
  readonly #engines = new Map<string, RunEngine>();
  readonly #over = new Map<string, Run>();
  readonly #listeners = new Set<RunsListener>();

  constructor(options: RunsOptions) {
    this.#o = options;
  }

  /** Loads what storage holds and goes on with what was running. */
  async recover(): Promise<void> {
    for (const record of await this.#o.storage.runs()) {
      if (isOver(record.status)) this.#over.set(record.id, await this.#describeOver(record));
      else {
        const engine = await this.#open(record);
        await engine.resumeAfterRestart();
      }
    }
  }

  subscribe(listener: RunsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws CoppiceError `task-unknown`, `plan-invalid`, `model-invalid`. */
  async create(taskId: string, input: Partial<Plan>, start: boolean): Promise<Run> {
    const task = this.#o.tasks.get(taskId);
    const plan = completePlan(task, input);
    const { layout, weights } = await this.#o.evaluator.describe(task, plan.seed);
    const existing = (await this.#o.storage.runs()).filter((run) => run.task.id === taskId);
    const now = this.#o.clock.now();
    const record: RunRecord = {
      id: `${taskId}-${existing.length + 1}`,
      task,
      plan,
      status: 'created',
      createdAt: now,
      endedAt: null,
      reason: null,
    };
    const central = await this.#o.evaluator.evaluate(task, weights);
    await this.#o.storage.commit({
      run: record,
      round: null,
      model: {
        weights,
        state: strategyOf(plan).init({ layout, weights }),
        checkpoint: {
          hash: weightsHash(weights),
          run: record.id,
          task: taskId,
          round: 0,
          parent: null,
          createdAt: now,
          central,
          federated: null,
          parameters: weights.length,
        },
      },
    });
    const engine = await this.#open(record);
    this.#o.events.add({
      run: record.id,
      round: null,
      level: 'info',
      kind: 'run-created',
      message: `The run ${record.id} was created.`,
    });
    if (start) await engine.act('start');
    this.#changed(record.id);
    return engine.run();
  }

  async act(id: string, action: RunAction): Promise<Run> {
    await this.engine(id).act(action);
    return this.get(id);
  }

  /** @throws CoppiceError `run-unknown`, `run-ended`. */
  engine(id: string): RunEngine {
    const engine = this.#engines.get(id);
    if (engine !== undefined) return engine;
    if (this.#over.has(id))
      throw new CoppiceError('run-ended', `The run "${id}" is over. Its model can still be used.`);
    throw new CoppiceError(
      'run-unknown',
      `There is no run "${id}" on this coordinator. Load the page again to see the runs there are.`,
    );
  }

  engines(): Iterable<RunEngine> {
    return this.#engines.values();
  }

  get(id: string): Run {
    return this.#over.get(id) ?? this.engine(id).run();
  }

  /** Newest first. */
  all(): Run[] {
    return [...this.#over.values(), ...[...this.#engines.values()].map((engine) => engine.run())].sort(
      (a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1),
    );
  }

  summaries(): RunSummary[] {
    return this.all().map(summaryOf);
  }

  /** The current model of any run, over or not. @param has the hash of the model that the participant has already. */
  async model(id: string, participant: string, has: string | null = null): Promise<Model> {
    if (this.#engines.has(id)) return this.engine(id).currentModel(participant, has);
    const run = this.get(id);
    const { layout } = await this.#o.evaluator.describe(this.#o.tasks.get(run.task), run.plan.seed);
    const weights = await this.#o.storage.weights(run.checkpoint);
    const frame = encodeFrame({
      kind: 'weights',
      codec: 'float32',
      layoutHash: layoutHash(layout),
      parameters: weights.length,
      payload: float32Payload(weights),
    });
    return { round: run.round, checkpoint: run.checkpoint, frame };
  }

  close(): void {
    for (const engine of this.#engines.values()) engine.close();
  }

  async #open(record: RunRecord): Promise<RunEngine> {
    const { storage, spool } = this.#o;
    const latest = await storage.latest(record.id);
    if (latest === null) {
      throw new CoppiceError(
        'storage-corrupt',
        `The run ${record.id} has no model in storage. Restore the data folder from a backup.`,
      );
    }
    const { layout } = await this.#o.evaluator.describe(record.task, record.plan.seed);
    const { checkpoint } = latest;
    const rounds = await storage.rounds(record.id);
    const engine = new RunEngine({
      record,
      layout,
      model: { round: checkpoint.round, hash: checkpoint.hash, weights: latest.weights, state: latest.state },
      central: checkpoint.central,
      lastRound:
        rounds.findLast((round) => round.checkpoint === checkpoint.hash && round.outcome === 'committed') ??
        null,
      attempt: rounds.filter((round) => round.round === checkpoint.round + 1).length + 1,
      storage,
      spool,
      clock: this.#o.clock,
      audience: this.#o.audience,
      evaluator: this.#o.evaluator,
      observer: {
        runChanged: () => this.#changed(record.id),
        roundChanged: (round) => {
          for (const listener of this.#listeners) listener.roundChanged(round);
        },
        participantsChanged: () => {
          for (const listener of this.#listeners) listener.participantsChanged(record.id);
        },
        event: (event) => this.#o.events.add({ run: record.id, ...event }),
      },
    });
    this.#engines.set(record.id, engine);
    return engine;
  }

  async #describeOver(record: RunRecord): Promise<Run> {
    const newest = (await this.#o.storage.checkpoints(record.id))[0];
    if (newest === undefined) {
      throw new CoppiceError(
        'storage-corrupt',
        `The run ${record.id} has no model in storage. Restore the data folder from a backup.`,
      );
    }
    const { id, task, plan, status, createdAt, endedAt, reason } = record;
    return {
      id,
      task: task.id,
      title: task.title,
      status,
      phase: 'idle',
      round: newest.round,
      rounds: plan.rounds,
      participants: 0,
      needed: plan.minParticipants,
      deadlineAt: null,
      central: newest.central,
      checkpoint: newest.hash,
      plan,
      createdAt,
      endedAt,
      reason,
    };
  }

  #changed(run: string): void {
    for (const listener of this.#listeners) listener.runChanged(run);
  }
}

/** What everyone may see of a run. */
export function summaryOf({
  plan: _plan,
  createdAt: _createdAt,
  endedAt: _endedAt,
  reason: _reason,
  ...summary
}: Run): RunSummary {
  return summary;
}

/** The plan asked for, completed by the task's defaults and then by the general ones. */
export function completePlan(task: Task, input: Partial<Plan>): Plan {
  const parsed = PlanSchema.safeParse({ ...defaultPlan, ...task.planDefaults, ...input });
  if (parsed.success) return parsed.data;
  throw new CoppiceError('plan-invalid', `The plan is not valid: ${firstIssue(parsed.error)}.`);
}
