import { randomBytes } from 'node:crypto';
import { strategyOf } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  type Admission,
  type AgreedScaling,
  awaitsScaling,
  briefMetrics,
  type Cause,
  type CheckpointId,
  type Codec,
  CoppiceError,
  completePlan,
  faultOfTarget,
  layoutHash,
  type Model,
  type PlanInputValues,
  type Run,
  type RunAction,
  type RunSummary,
  RunSummarySchema,
  scalingIn,
  type Up,
  withScaling,
} from '@coppice/protocol';
import { reasonOf } from '../failure.ts';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Audience } from '../rounds/audience.ts';
import { isOver } from '../rounds/machine.ts';
import { inCodec, notCurrent, type PackedModel, packModel, pieceOfModel } from '../rounds/packed-model.ts';
import type { RetryPauses } from '../rounds/retries.ts';
import { RunEngine } from '../rounds/run-engine.ts';
import { packRun, type RunObserver } from '../rounds/run-state.ts';
import type { Admissions } from '../security/admissions.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import { inTurns } from '../turns.ts';
import { firstWeights } from './first-weights.ts';
import { fittingCheckpoint } from './fitting-checkpoint.ts';
import { KeptModels } from './kept-models.ts';
import type { Tasks } from './tasks.ts';

export interface RunsOptions {
  readonly storage: Storage;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly audience: Audience;
  readonly models: ModelWorker;
  readonly events: EventLog;
  readonly tasks: Tasks;
  readonly admissions: Pick<Admissions, 'of' | 'begin'>;
  readonly retryPauses?: RetryPauses | undefined;
}

/** Settings of a new run beside its plan. */
export interface Beginning {
  /** Default: open. */
  readonly admission?: Admission;
  /**
   * The checkpoint to begin from; null, the default, for the weights that were given with the task, or else drawn from the
   * seed; `seed` for drawn ones in any case, but for frozen ones that were given.
   */
  readonly from?: CheckpointId | 'seed' | null;
  readonly cause?: Cause;
  /** Secret seed of the cohort selection; left out, a random one. A known secret makes the selection repeatable. */
  readonly secret?: string;
}

/** A listener to changes of runs. */
export interface RunsListener {
  runChanged(run: string): void;
  roundChanged(round: Parameters<RunObserver['roundChanged']>[0]): void;
  participantsChanged(run: string): void;
}

/** Ended runs whose participants' table and model stay in memory; older ones are read from storage. */
export const ENDED_AT_HAND = 8;

/** All runs: those with rounds to come have an engine, those that ended long ago are read from storage. */
export class Runs {
  readonly #o: RunsOptions;
  /** Ended runs that still have an engine, the first to end first. */
  readonly #ended = new Set<string>();
  readonly #engines = new Map<string, RunEngine>();
  readonly #over = new Map<string, Omit<Run, 'admission'>>();
  readonly #lastModels = new KeptModels<PackedModel>();
  readonly #listeners = new Set<RunsListener>();

  constructor(options: RunsOptions) {
    this.#o = options;
  }

  /** Loads all runs from storage and resumes the running ones. */
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

  /**
   * @throws CoppiceError `task-unknown`, `plan-invalid`, `model-invalid`; `checkpoint-unknown`, `checkpoint-mismatch`
   *   where the run cannot begin `from` there.
   */
  async create(
    taskId: string,
    input: PlanInputValues,
    start: boolean,
    {
      admission = 'open',
      from: origin = null,
      cause = { by: 'admin', name: '' },
      secret = newSecret(),
    }: Beginning = {},
  ): Promise<Run> {
    const task = this.#o.tasks.get(taskId);
    const plan = completePlan(task.planDefaults, input);
    const fault = faultOfTarget(plan, task);
    if (fault !== null) throw new CoppiceError('plan-invalid', `The plan is not valid: ${fault}.`);
    const deps = { task, storage: this.#o.storage, models: this.#o.models };
    const from = origin === 'seed' ? null : origin;
    const { layout, weights, ...first } =
      from === null
        ? await firstWeights({ ...deps, seed: plan.seed, drawn: origin === 'seed' })
        : await fittingCheckpoint(from, deps);
    const firsts = 'firstWeights' in first ? { firstWeights: first.firstWeights } : {};
    const central = await this.#o.models.evaluate(task, weights);
    const record = await this.#o.storage.createRun({
      run: {
        task,
        plan,
        status: 'created',
        createdAt: this.#o.clock.now(),
        endedAt: null,
        reason: null,
        from,
        ...firsts,
        cause,
        secret,
      },
      admission,
      model: { weights, state: strategyOf(plan).server.init({ layout, weights }), central },
    });
    this.#o.admissions.begin(record.id, admission);
    const engine = await this.#open(record);
    this.#o.events.add({
      run: record.id,
      round: null,
      level: 'info',
      kind: 'run-created',
      data: from === null ? firsts : { from },
    });
    if (start) await engine.act('start');
    this.#changed(record.id);
    return engine.run();
  }

  async act(id: string, action: RunAction): Promise<Run> {
    await this.engine(id).act(action);
    return this.get(id);
  }

  /**
   * Stops a run for a reason of the coordinator's. One that is over stays as it is.
   *
   * @throws CoppiceError `run-unknown`; `storage-failed` and its kin, then the status is as it was.
   */
  async giveUp(id: string, why: CoppiceError): Promise<void> {
    if (this.#over.has(id)) return;
    const engine = this.engine(id);
    await engine.giveUp(reasonOf(why)).catch((thrown: unknown) => {
      if (!isOver(engine.record.status)) throw thrown;
    });
  }

  /** The engine of a run, if it has one still. */
  find(id: string): RunEngine | undefined {
    return this.#engines.get(id);
  }

  /** @throws CoppiceError `run-unknown`, `run-ended`. */
  engine(id: string): RunEngine {
    const engine = this.find(id);
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
    const over = this.#over.get(id);
    return over === undefined ? this.engine(id).run() : { ...over, admission: this.#o.admissions.of(id) };
  }

  /** The checkpoint that a run began from; `null` where the seed drew its first weights, and for a run that is not known. */
  originOf(id: string): CheckpointId | null {
    const run = this.#over.get(id) ?? this.#engines.get(id)?.run();
    return run?.from ?? null;
  }

  /** All runs, newest first. */
  all(): Run[] {
    return [...this.#over.keys(), ...this.#engines.keys()]
      .map((id) => this.get(id))
      .sort((a, b) => b.sequence - a.sequence);
  }

  /** Runs that are not over, newest first, at most `most`; running ones take precedence. */
  listed(most: number): Run[] {
    const open: Run[] = [];
    for (const engine of this.#engines.values()) if (!isOver(engine.record.status)) open.push(engine.run());
    const newestFirst = open.sort((a, b) => b.sequence - a.sequence);
    if (open.length <= most) return newestFirst;
    const first = newestFirst.filter(({ status }) => status === 'running');
    const others = newestFirst.filter(({ status }) => status !== 'running');
    return [...first, ...others].slice(0, most).sort((a, b) => b.sequence - a.sequence);
  }

  /** Checks that a run exists, over or not. */
  has(id: string): boolean {
    return this.#over.has(id) || this.#engines.has(id);
  }

  /**
   * The current model of any run, over or not; whole, of one that is over.
   *
   * @param has the hash of the model that the participant has already.
   * @param parts whether a model with frozen tensors may come in parts.
   */
  async model(
    id: string,
    participant: string,
    { has = null, parts = false }: { has?: string | null | undefined; parts?: boolean | undefined } = {},
  ): Promise<Model> {
    if (this.#engines.has(id)) return this.engine(id).currentModel(participant, has, parts);
    const run = this.get(id);
    const { frame } = await this.#last(run);
    return { round: run.round, checkpoint: run.checkpoint, frame };
  }

  /**
   * A piece of a current parcel of any run: a copy, since a reader that does not read holds what was written to it.
   *
   * @throws CoppiceError `run-unknown`, `checkpoint-unknown` where the model has been replaced, `message-invalid` where
   *   there is no such piece.
   */
  async parcelPiece(
    id: string,
    { hash, codec = 'float32', piece }: Omit<Up<'parcel'>, 'run'>,
  ): Promise<Uint8Array> {
    return new Uint8Array(pieceOfModel(await this.parcel(id, hash, codec), piece));
  }

  /**
   * A current parcel of any run, encoded.
   *
   * @throws CoppiceError `run-unknown`, `checkpoint-unknown` where the model has been replaced, `message-invalid` where
   *   it is not sent in that codec.
   */
  async parcel(id: string, hash: string, codec: Codec): Promise<PackedModel> {
    if (this.#engines.has(id)) return this.engine(id).parcel(hash, codec);
    const run = this.get(id);
    if (hash !== run.checkpoint) throw notCurrent(id);
    return inCodec([await this.#last(run)], codec);
  }

  /** Checks that a parcel of a run is still a current one. */
  isCurrent(id: string, hash: string): boolean {
    return this.#engines.get(id)?.isCurrent(hash) ?? this.#over.get(id)?.checkpoint === hash;
  }

  /** Checks that a run that is not over has a row for this participant. */
  remembers(id: string, participant: string): boolean {
    const engine = this.#engines.get(id);
    return engine !== undefined && !isOver(engine.record.status) && engine.remembers(participant);
  }

  /** Checks that a ticket belongs to an open question of this run to this participant, or to its pull of the current model. */
  holdsTicket(id: string, participant: string, ticket: string): boolean {
    return this.#engines.get(id)?.holdsTicket(participant, ticket) === true;
  }

  /** The last model of an ended run, from the cache, since it is fetched piece by piece. */
  #last(run: Run): Promise<PackedModel> {
    return this.#lastModels.get(run.checkpoint, async () => {
      const layout = await this.#o.models.layout(this.#o.tasks.get(run.task));
      const weights = await this.#o.storage.weights(run.checkpoint);
      return inTurns(packModel(layoutHash(layout), weights));
    });
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
    const layout = await this.#o.models.layout(record.task);
    const { checkpoint } = latest;
    const rounds = await storage.rounds(record.id);
    const model = {
      round: checkpoint.round,
      hash: checkpoint.hash,
      weights: latest.weights,
      state: latest.state,
    };
    const packed = await inTurns(packRun({ record, layout, model }));
    const engine = new RunEngine({
      // Read as late as possible: participants may agree while a run is being made.
      record: this.#scaled(record),
      layout,
      model,
      packed,
      central: checkpoint.central,
      lastRound:
        rounds.findLast((round) => round.checkpoint === checkpoint.hash && round.outcome === 'committed') ??
        null,
      rounds,
      attempt: rounds.filter((round) => round.round === checkpoint.round + 1).length + 1,
      retryPauses: this.#o.retryPauses,
      storage,
      spool,
      clock: this.#o.clock,
      audience: this.#o.audience,
      models: this.#o.models,
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
      agreeScaling: (task, agreed) => this.#agreeScaling(task, agreed),
      admission: () => this.#o.admissions.of(record.id),
      secret: record.secret ?? String(record.plan.seed),
    });
    this.#engines.set(record.id, engine);
    return engine;
  }

  /** Stores what the participants of a run agreed on, once for its task, and tells all runs of the task. */
  async #agreeScaling(task: string, agreed: AgreedScaling): Promise<void> {
    const scaling = await this.#o.tasks.agreeScaling(task, agreed);
    for (const engine of this.#engines.values())
      if (engine.record.task.id === task) await engine.takeScaling(scaling);
  }

  /** A stored run, with the scaling that its task got since: the task's record alone is written when it is agreed. */
  #scaled(record: RunRecord): RunRecord {
    const { task } = record;
    if (!awaitsScaling(task.data)) return record;
    const scaling = scalingIn(this.#o.tasks.get(task.id).data);
    return scaling === null
      ? record
      : { ...record, task: { ...task, data: withScaling(task.data, scaling) } };
  }

  /** Releases the engine of an ended run. On failure the engine stays. */
  async #putAway(run: string): Promise<void> {
    this.#ended.delete(run);
    const engine = this.#engines.get(run);
    if (engine === undefined) return;
    const over = await this.#describeOver(engine.record).catch(() => null);
    if (over === null) return;
    engine.close();
    this.#engines.delete(run);
    this.#over.set(run, over);
    this.#changed(run);
  }

  async #describeOver(record: RunRecord): Promise<Omit<Run, 'admission'>> {
    const newest = (await this.#o.storage.checkpoints(record.id))[0];
    if (newest === undefined) {
      throw new CoppiceError(
        'storage-corrupt',
        `The run ${record.id} has no model in storage. Restore the data folder from a backup.`,
      );
    }
    const { id, sequence, from, firstWeights, cause, task, plan, status, createdAt, endedAt, reason } =
      record;
    return {
      id,
      sequence,
      from,
      ...(firstWeights === undefined ? {} : { firstWeights }),
      cause,
      task: task.id,
      title: task.title,
      status,
      phase: 'idle',
      round: newest.round,
      rounds: plan.rounds,
      participants: 0,
      needed: plan.minParticipants,
      deadlineAt: null,
      central: briefMetrics(newest.central),
      checkpoint: newest.hash,
      plan,
      createdAt,
      endedAt,
      reason,
    };
  }

  /** Announces a change of a run that its engine does not know of. */
  changed(run: string): void {
    this.#changed(run);
  }

  #changed(run: string): void {
    if (this.#engines.get(run)?.isAtRest === true && !this.#ended.has(run)) {
      this.#ended.add(run);
      const [first] = this.#ended;
      if (this.#ended.size > ENDED_AT_HAND && first !== undefined) void this.#putAway(first);
    }
    for (const listener of this.#listeners) listener.runChanged(run);
  }
}

/** The fields of the public schema: a new field of runs stays private by default. */
const summaryFields = Object.keys(RunSummarySchema.shape) as (keyof RunSummary)[];

/** The view of a run for participants. Where the run is not open and the participant is not admitted, it has no metrics. */
export function summaryOf(run: Run, admitted: boolean): RunSummary {
  const summary = Object.fromEntries(summaryFields.map((field) => [field, run[field]])) as RunSummary;
  return admitted || summary.admission === 'open' ? summary : { ...summary, central: null };
}

function newSecret(): string {
  return randomBytes(24).toString('base64url');
}
