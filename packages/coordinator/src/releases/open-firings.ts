import type { Clock } from '@coppice/ports';
import { CoppiceError, type Release, type WatchedPeriod } from '@coppice/protocol';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Runs } from '../registry/runs.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { STORAGE_RETRY } from '../watch/task-watch.ts';
import { FiringCanaries } from './canaries.ts';
import { canaryLook } from './canary-look.ts';
import { changeEvent } from './firing-events.ts';
import { type FiringEvidence, next, stepOf } from './firing-machine.ts';
import { isMoveOf } from './firing-moves.ts';
import { lookAtRun } from './firing-run.ts';
import { type Comparisons, carryOut, compare, type StepDeps } from './firing-steps.ts';
import type { Releases } from './releases.ts';
import type { TaskLanes } from './task-lanes.ts';

export interface OpenFiringsOptions extends StepDeps {
  readonly runs: StepDeps['runs'] & Pick<Runs, 'subscribe'>;
  readonly releases: StepDeps['releases'] & Pick<Releases, 'subscribe'>;
  readonly comparisons: Comparisons;
  readonly events: Pick<EventLog, 'add'>;
  readonly clock: Clock;
  readonly lanes: TaskLanes;
  /** Called for a failure after which a step is tried again. */
  readonly failed: (error: CoppiceError) => void;
}

/** The firings that have not ended, at most one a task: carries each on until it has. */
export class OpenFirings {
  readonly canaries = new FiringCanaries();
  readonly #o: OpenFiringsOptions;
  /** The time of `clock.elapsed()` at which this process began. */
  readonly #began: number;
  readonly #open = new Map<string, StoredFiring>();
  /** The number of the comparison of each task that is open in this process. */
  readonly #comparing = new Map<string, number>();
  /** Tasks whose firing is about to be carried on. */
  readonly #soon = new Set<string>();
  readonly #timers = new Map<string, () => void>();
  #isStopped = false;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(options: OpenFiringsOptions) {
    this.#o = options;
    this.#began = options.clock.elapsed();
    this.#unsubscribe = [
      options.releases.subscribe((move) => this.#moved(move)),
      options.runs.subscribe({
        runChanged: (run) => this.#runChanged(run),
        roundChanged: () => {},
        participantsChanged: () => {},
      }),
    ];
  }

  /** Goes on with those that an earlier process left open. @throws CoppiceError `storage-failed` and its kin */
  async recover(): Promise<void> {
    for (const firing of await this.#o.storage.openFirings()) {
      this.#open.set(firing.task, firing);
      const move = await this.#o.releases.at(firing.task, 'canary');
      if (move !== null) this.canaries.moved(move, firing);
      this.#carryOnSoon(firing.task);
    }
  }

  /** Ends all timers. */
  stop(): void {
    this.#isStopped = true;
    for (const end of [...this.#unsubscribe, ...this.#timers.values()]) end();
  }

  /** Takes a firing that began. Call in its task's lane. @returns the firing once it waits for something. */
  async begin(firing: StoredFiring): Promise<StoredFiring> {
    this.#open.set(firing.task, firing);
    return this.#carryOnOrRetry(firing);
  }

  /** Takes a period that was judged while a firing goes on. Call in its task's lane. @throws CoppiceError `storage-failed` and its kin */
  async judged(firing: StoredFiring, period: WatchedPeriod): Promise<void> {
    const waiting = stepOf(firing);
    const evidence =
      waiting.step !== 'await-period'
        ? null
        : waiting.of === 'comparison'
          ? ({ kind: 'compare-again', period: period.period } as const)
          : canaryLook(firing, period);
    await this.#carryOnOrRetry(await this.#take(firing, evidence));
  }

  #runChanged(run: string): void {
    for (const { task, state, run: own } of this.#open.values())
      if (own === run && state === 'training') this.#carryOnSoon(task);
  }

  #moved(move: Release): void {
    const firing = this.#open.get(move.task) ?? null;
    if (move.channel === 'canary') this.canaries.moved(move, firing);
    if (firing !== null && !isMoveOf(move, firing)) this.#carryOnSoon(move.task);
  }

  /** Carries a firing on in its turn. A run changes with every answer: one look sees all changes before it. */
  #carryOnSoon(task: string): void {
    if (this.#soon.has(task)) return;
    this.#soon.add(task);
    void this.#o.lanes.of(task)(async () => {
      this.#soon.delete(task);
      if (this.#isStopped) return;
      try {
        const firing = await this.#o.storage.openFiring(task);
        if (firing !== null) await this.#carryOn(firing);
      } catch (thrown) {
        this.#retry(task, thrown);
      }
    });
  }

  async #carryOnOrRetry(firing: StoredFiring): Promise<StoredFiring> {
    try {
      return await this.#carryOn(firing);
    } catch (thrown) {
      this.#retry(firing.task, thrown);
      return (await this.#o.storage.firings(firing.task, { limit: 1 }))[0] ?? firing;
    }
  }

  #retry(task: string, thrown: unknown): void {
    if (this.#isStopped) return;
    this.#o.failed(CoppiceError.from(thrown));
    this.#wait(task, STORAGE_RETRY, () => this.#carryOnSoon(task));
  }

  /** Carries a firing on until it waits for a run, a comparison or a period, or has ended. */
  async #carryOn(given: StoredFiring): Promise<StoredFiring> {
    let firing = given;
    for (;;) {
      if (this.#isStopped) return firing;
      const evidence = (await this.#isOvertaken(firing))
        ? ({ kind: 'overtaken' } as const)
        : await this.#stepEvidence(firing);
      const after = await this.#take(firing, evidence);
      if (after === firing) return firing;
      firing = after;
    }
  }

  async #stepEvidence(firing: StoredFiring): Promise<FiringEvidence | null> {
    const step = stepOf(firing);
    switch (step.step) {
      case 'await-run':
        return this.#runEvidence(firing, step.run);
      case 'compare':
        this.#compareSoon(firing, step.number);
        return null;
      case 'await-period':
        this.#waitForPeriod(firing);
        return null;
      default:
        return carryOut(this.#o, firing, step);
    }
  }

  async #runEvidence(firing: StoredFiring, run: string): Promise<FiringEvidence | null> {
    const { clock } = this.#o;
    const { evidence, again } = await lookAtRun({ ...this.#o, began: this.#began }, firing, run);
    if (again !== null)
      this.#wait(firing.task, Math.max(1, again - clock.now()), () => this.#carryOnSoon(firing.task));
    return evidence;
  }

  /** Stores the firing after evidence, before anything follows from it. @returns the same firing where nothing changes. */
  async #take(firing: StoredFiring, evidence: FiringEvidence | null): Promise<StoredFiring> {
    const changed = evidence === null ? null : next(firing, evidence);
    if (changed === null) return firing;
    const spending = evidence?.kind === 'compared' ? evidence.spending : null;
    const after = await this.#o.storage.putFiring(changed, spending);
    const { task, state } = after;
    if (state === 'ended') {
      this.#open.delete(task);
      this.#timers.get(task)?.();
      this.#timers.delete(task);
    } else this.#open.set(task, after);
    const event = changeEvent(firing, after);
    if (event !== null) this.#o.events.add(event);
    return after;
  }

  /** An admin moved production since the firing began, or the canary's channel since that began. */
  async #isOvertaken({ task, basis, canary, ending }: StoredFiring): Promise<boolean> {
    if (ending !== null) return false;
    const { releases } = this.#o;
    if ((await releases.at(task, 'production'))?.sequence !== basis.sequence) return true;
    return canary !== null && (await releases.at(task, 'canary'))?.sequence !== canary.sequence;
  }

  /** Compares without keeping the task's lane, since answers take a while. */
  #compareSoon(firing: StoredFiring, number: number): void {
    const { task, sequence } = firing;
    if (this.#comparing.get(task) === number) return;
    this.#comparing.set(task, number);
    const compared = compare(this.#o, firing, number);
    void compared
      .then((evidence) =>
        this.#o.lanes.of(task)(async () => {
          const open = await this.#o.storage.openFiring(task);
          const step = open === null ? null : stepOf(open);
          const isCurrent = open?.sequence === sequence && step?.step === 'compare' && step.number === number;
          if (this.#isStopped) return;
          const after = open === null || !isCurrent ? null : await this.#take(open, evidence);
          // Not before it is stored: until then a restart reads the same sums again.
          this.#o.comparisons.settled(task, number);
          if (after !== null) await this.#carryOn(after);
        }),
      )
      .catch((thrown: unknown) => this.#retry(task, thrown))
      .finally(() => {
        if (this.#comparing.get(task) === number) this.#comparing.delete(task);
      });
  }

  /** Periods are judged while reports come. Where they end, the time alone ends a canary, and compares again. */
  #waitForPeriod(firing: StoredFiring): void {
    const { task, comparison, comparisons, canary, rules } = firing;
    const { periodMilliseconds } = rules;
    const end =
      canary === null
        ? (comparison?.startedAt ?? 0) + 2 * comparisons * periodMilliseconds
        : canary.startedAt + ((rules.canary?.periods ?? 0) + 2) * periodMilliseconds;
    this.#wait(task, Math.max(1, end - this.#o.clock.now()), () => {
      void this.#o.lanes.of(task)(async () => {
        try {
          const open = await this.#o.storage.openFiring(task);
          if (this.#isStopped || open === null || stepOf(open).step !== 'await-period') return;
          const evidence =
            open.canary === null
              ? ({ kind: 'compare-again', period: open.looked + 1 } as const)
              : canaryLook(open, null);
          await this.#carryOn(await this.#take(open, evidence));
        } catch (thrown) {
          this.#retry(task, thrown);
        }
      });
    });
  }

  #wait(task: string, milliseconds: number, fire: () => void): void {
    this.#timers.get(task)?.();
    if (this.#isStopped) return;
    this.#timers.set(task, this.#o.clock.setTimer(milliseconds, fire));
  }
}
