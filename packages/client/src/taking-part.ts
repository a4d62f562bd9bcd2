import type { Session } from '@coppice/participant';
import type { Clock } from '@coppice/ports';
import { CoppiceError, type WireError } from '@coppice/protocol';
import { type Condition, type Conditions, unmet } from './conditions.ts';
import type { DeviceReadings } from './readings.ts';

/** Milliseconds until terms that could not be read are asked for again. */
const ASK_AGAIN = 60_000;

/** The consent that a person gave to runs of a task, and the conditions on the device. */
export interface PartTerms extends Conditions {
  /** The version of the consent (`RunFacts.terms`): only runs of the same terms are joined. */
  readonly terms: string;
}

/** How far the part in the runs of a task is. */
export interface PartState {
  /**
   * - `waiting`: no run of the task is open that has the terms.
   * - `other-terms`: one is open, but has other terms.
   * - `held`: one is open, and conditions are not met.
   * - `needs-data`: the run is joined, and there are no examples.
   * - `joined`: the run is joined, and asks for nothing now.
   * - `training`: this device works on the run.
   */
  readonly state: 'waiting' | 'other-terms' | 'held' | 'needs-data' | 'joined' | 'training';
  /** The run that is joined; null: none is. */
  readonly run: string | null;
  /** The conditions that are not met now. */
  readonly held: readonly Condition[];
  /** Those of them that the browser does not tell of. */
  readonly unknown: readonly Condition[];
  /** The last refusal of a run. */
  readonly error: WireError | null;
}

type Run = Session['state']['runs'][number];

interface Current {
  readonly task: string;
  readonly run: string;
  /** `asked`: it is joined as soon as there is a connection. */
  entered: 'no' | 'asked' | 'joined';
}

/** Takes part in runs of the terms that a person agreed to, while the device has nothing else to do. One run at a time. */
export class TakingPart {
  readonly #o: TakingPartOptions;
  readonly #tasks = new Map<string, PartTerms>();
  /** Versions of terms by run, and the runs whose terms are being asked for. */
  readonly #terms = new Map<string, string>();
  readonly #asking = new Set<string>();
  /** Why runs refused this device. */
  readonly #refused = new Map<string, WireError>();
  readonly #told = new Map<string, string>();
  #current: Current | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #ends: (() => void)[] = [];
  #stopAsking = () => {};

  constructor(options: TakingPartOptions) {
    this.#o = options;
  }

  takePart(task: string, how: PartTerms): void {
    this.#tasks.set(task, how);
    this.#refused.clear();
    if (this.#ends.length === 0) {
      const { session, readings } = this.#o;
      // Else nothing is told of runs that come.
      session.watch([]).catch(() => {});
      this.#ends = [
        session.subscribe(() => this.#look()),
        readings.subscribe(() => this.#look()),
        () => this.#stopAsking(),
      ];
    }
    this.#look();
  }

  /** Leaves the run, where one of this task is joined. */
  async leave(task: string): Promise<void> {
    if (!this.#tasks.delete(task)) return;
    this.#told.delete(task);
    this.#o.told(task, null);
    this.#look();
    await this.#looking;
    if (this.#tasks.size === 0) this.close();
  }

  /** Ends all work here. The session stays as it is. */
  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Does what follows from how things are now, once more where they change meanwhile. */
  #look(): void {
    this.#again = true;
    this.#looking ??= this.#all();
  }

  async #all(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#once().catch((thrown: unknown) => reportError(thrown));
      for (const task of this.#tasks.keys()) this.#tell(task);
    }
    // At once with the last look: one that is asked for from here on begins anew.
    this.#looking = null;
  }

  async #once(): Promise<void> {
    const { session } = this.#o;
    this.#askForTerms();
    if (this.#current !== null && !this.#goesOn(this.#current)) {
      this.#current = null;
      await session.leave();
    }
    this.#current ??= this.#next();
    const current = this.#current;
    const how = this.#tasks.get(current?.task ?? '');
    if (current === null || how === undefined) return;
    const isHeld = this.#unmet(how).held.length > 0;
    if (isHeld && !session.state.paused) await session.pause();
    if (!isHeld && session.state.paused) await session.resume();
    if (current.entered === 'no') await this.#enter(current);
  }

  async #enter(current: Current): Promise<void> {
    const { session } = this.#o;
    current.entered = 'asked';
    try {
      await session.join(current.run);
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      // The next connection joins by itself.
      if (error.code === 'connection-lost') return;
      this.#refused.set(current.run, error.toWire());
      this.#current = null;
      this.#again = true;
    }
  }

  /** Whether the run may go on: it is wanted, not over, and did not put this device out. */
  #goesOn(current: Current): boolean {
    const { joined, runs, activity, error } = this.#o.session.state;
    const { run, task } = current;
    const status = runs.find(({ id }) => id === run)?.status;
    const isOver = status === 'finished' || status === 'stopped' || status === 'failed';
    if (this.#tasks.get(task)?.terms !== this.#terms.get(run) || isOver) return false;
    if (joined?.run === run) current.entered = 'joined';
    else if (current.entered === 'joined') {
      if (error !== null) this.#refused.set(run, error);
      return false;
    }
    return !(current.entered === 'joined' && activity.kind === 'ended');
  }

  /** The newest run that may be joined now. */
  #next(): Current | null {
    for (const run of this.#o.session.state.runs) {
      const how = this.#tasks.get(run.task);
      if (how === undefined || !this.#fits(run, how) || this.#unmet(how).held.length > 0) continue;
      return { task: run.task, run: run.id, entered: 'no' };
    }
    return null;
  }

  #fits({ id, status }: Run, { terms }: PartTerms): boolean {
    return status === 'running' && this.#terms.get(id) === terms && !this.#refused.has(id);
  }

  #unmet(how: PartTerms) {
    return unmet(how, this.#o.readings.now);
  }

  /** Asks for the terms of runs that may be joined. */
  #askForTerms(): void {
    const { session, terms, clock } = this.#o;
    for (const { id, task, status } of session.state.runs) {
      const isWanted = status === 'running' && this.#tasks.has(task);
      if (!isWanted || this.#terms.has(id) || this.#asking.has(id)) continue;
      this.#asking.add(id);
      terms(task, id).then(
        (version) => {
          this.#asking.delete(id);
          this.#terms.set(id, version);
          this.#look();
        },
        () => {
          this.#stopAsking();
          this.#stopAsking = clock.setTimer(ASK_AGAIN, () => {
            this.#asking.clear();
            this.#look();
          });
        },
      );
    }
  }

  #tell(task: string): void {
    const state = this.#stateOf(task);
    const text = JSON.stringify(state);
    if (state === null || this.#told.get(task) === text) return;
    this.#told.set(task, text);
    this.#o.told(task, state);
  }

  #stateOf(task: string): PartState | null {
    const how = this.#tasks.get(task);
    if (how === undefined) return null;
    const { runs, activity } = this.#o.session.state;
    const { held, unknown } = this.#unmet(how);
    const open = runs.filter((run) => run.task === task && run.status === 'running');
    const current = this.#current?.task === task ? this.#current : null;
    const error = open.map(({ id }) => this.#refused.get(id)).find((one) => one !== undefined) ?? null;
    const common = { run: current?.run ?? null, held, unknown, error };
    if (current !== null) {
      const isHeld = held.length > 0;
      const atRest = activity.kind === 'needs-data' ? 'needs-data' : 'joined';
      return { ...common, state: isHeld ? 'held' : works.has(activity.kind) ? 'training' : atRest };
    }
    if (open.some((run) => this.#fits(run, how)))
      return { ...common, state: held.length > 0 ? 'held' : 'waiting' };
    const others = open.some(({ id }) => this.#terms.has(id) && this.#terms.get(id) !== how.terms);
    return { ...common, state: others ? 'other-terms' : 'waiting' };
  }
}

const works: ReadonlySet<string> = new Set(['receiving', 'preparing', 'evaluating', 'training', 'sending']);

export interface TakingPartOptions {
  readonly session: Pick<Session, 'state' | 'subscribe' | 'watch' | 'join' | 'leave' | 'pause' | 'resume'>;
  /** The version of the terms of a run. */
  readonly terms: (task: string, run: string) => Promise<string>;
  readonly readings: DeviceReadings;
  readonly clock: Clock;
  readonly told: (task: string, state: PartState | null) => void;
}
