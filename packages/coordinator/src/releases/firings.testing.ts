import type { GateEvidence, Policy } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import {
  type DriftVerdict,
  type Reason,
  type Release,
  type Run,
  type RunStatus,
  type WatchedPeriod,
  weightsHash,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { NewEvent } from '../monitoring/new-event.ts';
import type { Runs, RunsListener } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import { Admissions } from '../security/admissions.ts';
import { testPolicy } from '../storage/firing.testing.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { memoryStorage } from '../storage/memory.ts';
import { newModel, newMove, newRun, toyTask } from '../storage/new-run.testing.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import type { AskedComparison } from './firing-steps.ts';
import { Firings } from './firings.ts';
import { Releases } from './releases.ts';

const HOUR = testPolicy.periodMilliseconds;
const START = 1_760_000_000_000;

/** Calls that store something, after each of which a process may end. */
const writes: readonly (keyof Storage)[] = ['addFiring', 'putFiring', 'moveChannel', 'createRun', 'putRun'];

/** A comparison in which the candidate wins on every example, or loses. */
export function comparedAs(better: boolean): Omit<GateEvidence, 'candidate'> {
  const clusters = 50;
  const mean = better ? 0.5 : -0.5;
  const sums = {
    clusters,
    examples: 10 * clusters,
    sum: mean * 10 * clusters,
    sumSquares: (10 * mean) ** 2 * clusters + clusters,
    products: 100 * mean * clusters,
    sizeSquares: 100 * clusters,
  };
  const bins = (bin: number) => Array.from({ length: 10 }, (_, at) => (at === bin ? clusters : 0));
  return {
    participants: clusters,
    noise: 0,
    recent: sums,
    discordant: better ? { won: 250, lost: 0 } : { won: 0, lost: 250 },
    older: sums,
    classes: [],
    accuracies: { production: bins(4), candidate: bins(better ? 9 : 0) },
  };
}

/** Sums of reports of both groups of a canary, by their mean errors; the groups vary a little. */
export function guardSums(participants: number, canary: number, control: number) {
  const of = (mean: number) => ({ errors: participants * mean, squares: participants * (mean ** 2 + 0.001) });
  return {
    'guard-present': [participants, participants],
    'guard-errors': [of(canary).errors, of(control).errors],
    'guard-squares': [of(canary).squares, of(control).squares],
  };
}

/** What the world does by itself to a firing. */
export interface Script {
  readonly policy: Policy;
  /** How the run of a firing ends. */
  readonly run: 'finished' | 'empty' | 'stopped' | 'paused' | 'nobody' | 'nobody-any-more';
  /** By the attempt, from 1; null: too few answers. */
  readonly compare: (attempt: number) => Omit<GateEvidence, 'candidate'> | 'budget-spent' | null;
  /** Whether the privacy budget has room for a comparison at the launch; left out: it has. */
  readonly affords?: boolean;
  /** Sums of the periods while a canary goes on; null: too few reports. */
  readonly sums: WatchedPeriod['sums'];
}

export const accepts: Script = {
  policy: testPolicy,
  run: 'finished',
  compare: () => comparedAs(true),
  sums: guardSums(20, 0.1, 0.3),
};

/** A task with a model in production, on one storage; processes that carry its firings on come and go. */
export class FiringWorld {
  readonly storage = memoryStorage();
  readonly clock = new ManualClock(START);
  readonly events: NewEvent[] = [];
  readonly asked: AskedComparison[] = [];
  /** The numbers of comparisons that may end. */
  readonly settled: number[] = [];
  readonly script: Script;
  /** Writes of processes so far. */
  written = 0;
  #periods = 0;

  constructor(script: Script) {
    this.script = script;
  }

  async begin(): Promise<this> {
    const { storage, script } = this;
    const run = await storage.createRun(newRun(new Float32Array([0]), { status: 'finished' }));
    await storage.commit(newModel(run, 1, new Float32Array([1])));
    await storage.moveChannel(newMove({ at: START }));
    const by = { by: 'admin', name: 'a test' } as const;
    await storage.putPolicy({ task: 'toy', expected: null, at: START, by, policy: script.policy });
    return this;
  }

  /** A coordinator's process. @param lives the writes after which it ends, left out: it does not. */
  process(lives = Number.POSITIVE_INFINITY): FiringProcess {
    return new FiringProcess(this, lives);
  }

  /** Stores the next period, as the watch does before it is judged. */
  async period(change: Partial<WatchedPeriod> = {}, alarm = false, quality = false): Promise<WatchedPeriod> {
    const number = this.#periods++;
    this.clock.advance(HOUR);
    const period: WatchedPeriod = {
      task: 'toy',
      period: number,
      reference: 'ab'.repeat(32),
      release: (await this.storage.lastRelease('toy', 'production'))?.sequence ?? null,
      noise: 0,
      startedAt: START + number * HOUR,
      endedAt: START + (number + 1) * HOUR,
      reports: 40,
      sums: this.script.sums,
      verdict: verdictOf(alarm, quality),
      ...change,
    };
    await this.storage.addPeriod(period);
    return period;
  }

  /** All that lasts, without the times and revisions that a restart may change. */
  async lasting() {
    const releases = (await this.storage.releases('toy', {})).map(
      ({ at: _at, ...release }: Release) => release,
    );
    const firings = (await this.storage.firings('toy')).map(
      ({ revision: _revision, waitsSince, endedAt, comparison, canary, ...firing }: StoredFiring) => ({
        ...firing,
        waits: waitsSince !== null,
        hasEnded: endedAt !== null,
        comparison: comparison && { ...comparison, startedAt: 0 },
        canary: canary && { ...canary, startedAt: 0 },
      }),
    );
    const runs = (await this.storage.runs()).map(({ id, status, reason, from, cause }) => ({
      id,
      status,
      reason,
      from,
      cause,
    }));
    return { releases, firings, runs, spentRho: await this.storage.spentRho('toy') };
  }
}

export function verdictOf(alarm: boolean, quality = false): DriftVerdict {
  return {
    participants: 40,
    observations: 400,
    drift: { alarm, tested: 1, suppressed: 0, results: [] },
    quality: { alarm: quality, tested: 1, suppressed: 0, results: [] },
    errors: { rate: 0.2, interval: [0.15, 0.25], participants: 40, warned: 0 },
  };
}

/** One process: what it does after its end does not happen. */
export class FiringProcess {
  readonly firings: Firings;
  readonly releases: Releases;
  readonly failures: unknown[] = [];
  /** Resolves at its end. */
  readonly ended: Promise<void>;
  readonly #world: FiringWorld;
  readonly #records = new Map<string, RunRecord>();
  readonly #listeners = new Set<RunsListener>();
  readonly #storage: Storage;

  constructor(world: FiringWorld, lives: number) {
    this.#world = world;
    let isOver = false;
    let end: () => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    const wrapped = Object.entries(world.storage).map(([name, method]) => [
      name,
      async (...given: unknown[]) => {
        if (isOver) return new Promise(() => {});
        const result = await (method as (...given: unknown[]) => unknown)(...given);
        if (isOver) return new Promise(() => {});
        if (!writes.includes(name as keyof Storage)) return result;
        world.written++;
        if (--lives > 0) return result;
        isOver = true;
        end();
        return new Promise(() => {});
      },
    ]);
    this.#storage = Object.fromEntries(wrapped) as Storage;
    const tasks = { all: () => [toyTask], get: () => toyTask } as unknown as Tasks;
    const models = { layout: async () => [{ name: 'w', shape: [1] }] } as unknown as ModelWorker;
    const events = { add: (event: NewEvent) => void world.events.push(event) };
    const { clock } = world;
    this.releases = new Releases({ storage: this.#storage, tasks, models, events, clock });
    this.firings = new Firings({
      storage: this.#storage,
      tasks,
      runs: this.#runs(),
      releases: this.releases,
      admissions: new Admissions(this.#storage, clock),
      comparisons: {
        compare: async (asked) => {
          world.asked.push(asked);
          const evidence = world.script.compare(((asked.number - 1) % 3) + 1);
          if (typeof evidence === 'string' || evidence === null) return evidence;
          const { privacy, number } = asked;
          const spending = privacy && { exchange: `compare-${number}`, at: clock.now(), rho: privacy.rho };
          return { participants: evidence.participants, evidence, spending };
        },
        settled: (_task, number) => void world.settled.push(number),
        affords: async () => world.script.affords ?? true,
      },
      events,
      clock,
      newSecret: () => 'a-secret-of-a-firing',
      failed: (error) => void this.failures.push(error),
    });
  }

  async start(): Promise<void> {
    for (const record of await this.#storage.runs()) this.#records.set(record.id, record);
    await this.firings.recover();
  }

  /** Waits until the firing has nothing to do by itself. */
  async settled(): Promise<StoredFiring | null> {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    return this.#storage.openFiring('toy');
  }

  /** Ends the run of the open firing as the script has it. */
  async endRun(): Promise<void> {
    const firing = await this.#storage.openFiring('toy');
    const record =
      firing?.run === undefined || firing.run === null ? undefined : this.#records.get(firing.run);
    if (record === undefined || record.status !== 'running') return;
    const how = this.#world.script.run;
    if (how === 'nobody') return;
    if (how === 'nobody-any-more') return this.commitRound(record.id);
    if (how === 'finished' && (await this.#storage.latestOfRun(record.id)) === null)
      for (const round of [1, 2]) {
        const weights = new Float32Array([1 + round]);
        const made = newModel(record, round, weights);
        await this.#storage.commit({ ...made, round: roundOf(record.id, round, weightsHash(weights)) });
      }
    await this.change(record.id, how === 'empty' ? 'finished' : how, how === 'paused' ? pause : null);
  }

  /** Commits the first round of a run, now, unless it was committed before. */
  async commitRound(id: string): Promise<void> {
    if ((await this.#storage.latestOfRun(id)) !== null) return;
    const { model, ...rest } = newModel(this.#records.get(id) as RunRecord, 1, new Float32Array([2]));
    const checkpoint = { ...model.checkpoint, createdAt: this.#world.clock.now() };
    await this.#storage.commit({
      ...rest,
      round: roundOf(id, 1, checkpoint.hash),
      model: { ...model, checkpoint },
    });
  }

  async change(id: string, status: RunStatus, reason: Reason | null = null): Promise<void> {
    const record = { ...(this.#records.get(id) as RunRecord), status, reason };
    await this.#storage.putRun(record);
    this.#records.set(id, record);
    for (const listener of this.#listeners) listener.runChanged(id);
  }

  /** Lets time pass, period by period, until the firing that a drift begins has ended. */
  async play(): Promise<void> {
    await this.start();
    for (let turn = 0; turn < 20; turn++) {
      await this.settled();
      await this.endRun();
      const open = await this.settled();
      if (open === null && (await this.#storage.firings('toy')).length > 0) return;
      await this.firings.judged(await this.#world.period({}, open === null));
    }
    throw new Error('The firing has not ended.');
  }

  #runs(): Pick<Runs, 'create' | 'act' | 'giveUp' | 'all' | 'get' | 'has' | 'subscribe'> {
    const runOf = ({ task, ...record }: RunRecord) => ({ ...record, task: task.id }) as unknown as Run;
    const get = (id: string) => runOf(this.#records.get(id) as RunRecord);
    return {
      create: async (_task, { window = null }, _start, { from = null, cause } = {}) => {
        const by = cause ?? { by: 'admin', name: '' };
        const begun = newRun(new Float32Array([1]), { status: 'created', from, cause: by, createdAt: 0 });
        const plan = { ...begun.run.plan, window };
        const record = await this.#storage.createRun({ ...begun, run: { ...begun.run, plan } });
        this.#records.set(record.id, record);
        return get(record.id);
      },
      act: async (id, action) => {
        await this.change(id, action === 'stop' ? 'stopped' : 'running');
        return get(id);
      },
      giveUp: async (id, why) => this.change(id, 'stopped', why.toWire()),
      all: () => [...this.#records.values()].map(runOf),
      get,
      has: (id) => this.#records.has(id),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }
}

const pause: Reason = { code: 'training-diverged', message: 'The loss is not finite.' };

function roundOf(run: string, round: number, checkpoint: string) {
  const cohort = [
    { participant: 'ab'.repeat(16), outcome: 'accepted' as const, milliseconds: 1500 },
    { participant: 'cd'.repeat(16), outcome: 'late' as const, milliseconds: null },
  ];
  return {
    run,
    round,
    attempt: 1,
    outcome: 'committed' as const,
    reason: null,
    startedAt: 1,
    endedAt: 2,
    target: 1,
    asked: 2,
    accepted: 1,
    refused: 0,
    examples: 3,
    phases: {},
    bytesUp: 10,
    bytesDown: 30,
    central: null,
    federated: null,
    trainingLoss: null,
    parent: '0'.repeat(64),
    checkpoint,
    cohort,
  };
}
