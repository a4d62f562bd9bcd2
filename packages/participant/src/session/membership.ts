import type { Clock } from '@coppice/ports';
import {
  awaitsScaling,
  CoppiceError,
  type Join,
  type Joined,
  recipeHash,
  type ScalingAgreed,
  withScaling,
} from '@coppice/protocol';
import { restingActivity } from '../activity.ts';
import { withOwnLayouts } from '../answer-layouts.ts';
import type { Contributions } from '../contributions.ts';
import { pause } from '../delivery.ts';
import type { OwnData } from '../own-data.ts';
import { withOwnRecipe } from '../own-recipe.ts';
import type { CurrentWork } from './current-work.ts';
import type { KeptModels } from './kept-models.ts';
import type { Line } from './line.ts';
import type { RunList } from './run-list.ts';
import { Silence } from './silence.ts';
import type { StateStore } from './state-store.ts';

/** A run as it was joined. */
export type JoinedRun = Pick<Joined, 'task' | 'plan' | 'layout' | 'answers'> & { readonly run: string };

export interface MembershipOptions {
  readonly line: Line;
  readonly store: StateStore;
  readonly runs: RunList;
  readonly clock: Clock;
  readonly data: OwnData;
  readonly contributions: Contributions;
  readonly kept: KeptModels;
  readonly work: CurrentWork;
  /** Fields of `join`; the backend as long as there is no trainer. */
  readonly device: Join['device'];
  readonly backend: string;
  /** The hash of the model of a run that steps may begin from; `null`: none. */
  readonly baseOf: (run: string) => string | null;
}

/** The run that this device takes part in: joined, joined again on each connection, paused, left, over. */
export class Membership {
  readonly #o: MembershipOptions;
  readonly #silence: Silence;
  /** The run to be in, through every reconnection. */
  #wanted: string | null = null;
  /** Shown at each join until one was granted: from then on the run knows this participant. */
  #invitation: string | null = null;
  #joined: JoinedRun | null = null;
  /** The first join of a run, until it was granted or refused. */
  #entering: { readonly run: string; readonly done: Promise<void> } | null = null;
  /** The run of which the coordinator said that it is over. */
  #ended: string | null = null;

  constructor(options: MembershipOptions) {
    this.#o = options;
    this.#silence = new Silence(options.clock);
  }

  /** The run to be in; `null`: none. */
  get wanted(): string | null {
    return this.#wanted;
  }

  /** The run as it was joined; `null`: none is. */
  get joined(): JoinedRun | null {
    return this.#joined;
  }

  /**
   * Joins a run, now or as soon as there is a connection, and stays in it.
   *
   * @throws CoppiceError the refusal of the coordinator, or the failure of opening the data.
   */
  async enter(run: string, invitation: string | null): Promise<void> {
    this.#wanted = run;
    this.#invitation = invitation;
    // An error that is still shown is about an earlier try.
    this.#o.store.set({ error: null });
    await this.join();
  }

  /**
   * Joins the run to be in, if there is a connection, as after each reconnection.
   *
   * @throws CoppiceError the refusal of the coordinator, or the failure of opening the data.
   */
  async join(): Promise<void> {
    const { store, data, kept, work } = this.#o;
    const run = this.#wanted;
    if (run === null || !store.isOnline) return;
    const granted = await this.#first(run, async () => {
      const answer = await this.#ask(run);
      this.#granted(run, answer);
      return answer;
    });
    const opened = await data.open(granted.task);
    if (work.ask === null) this.rest();
    if (opened) await this.tellAvailability();
    await kept.catchUp(run, granted.checkpoint);
  }

  /**
   * The first join of a run while it is under way; `null`: none is. Resolves once it was granted or refused. A question
   * may arrive in one packet with the answer to the join, and is heard before it.
   */
  entering(run: string): Promise<void> | null {
    return this.#entering?.run === run ? this.#entering.done : null;
  }

  /** Notes the first join of a run while it is under way. */
  async #first<T>(run: string, join: () => Promise<T>): Promise<T> {
    if (this.#joined?.run === run) return join();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const entering = { run, done };
    this.#entering = entering;
    try {
      return await join();
    } finally {
      if (this.#entering === entering) this.#entering = null;
      resolve();
    }
  }

  /** Joins again where something is amiss, and shows the failure. */
  async joinAgain(): Promise<void> {
    await this.join().catch((thrown: unknown) => this.#o.store.fail(thrown));
  }

  async #ask(run: string): Promise<Joined> {
    const { line, store, data, device, backend, baseOf } = this.#o;
    const before = this.#joined?.run === run ? this.#joined.task.id : undefined;
    const task = store.state.runs.find((one) => one.id === run)?.task ?? before;
    const answer = await line.request('join', {
      run,
      device,
      backend: store.state.backend ?? backend,
      examples: data.examplesOf(task),
      speed: store.state.speed,
      paused: store.state.paused,
      ...(this.#invitation === null ? {} : { invitation: this.#invitation }),
      has: baseOf(run),
    });
    const reply = withOwnLayouts(withOwnRecipe(answer));
    if (reply.ok) return reply.value;
    // Refused here alone: the coordinator would ask this device, and wait.
    if (answer.ok) line.request('leave', { run }).catch(() => {});
    const ended = reply.error.code === 'run-ended';
    this.#wanted = null;
    this.#joined = null;
    this.#silence.stop();
    if (ended) this.#forget(run);
    store.set({ joined: null, activity: { kind: ended ? 'ended' : 'idle' } });
    throw CoppiceError.fromWire(reply.error);
  }

  #granted(run: string, { run: summary, task, plan, layout, answers }: Joined): void {
    const { store, runs, contributions, clock } = this.#o;
    this.#invitation = null;
    this.#joined = { run, task, plan, layout, answers };
    this.#ended = null;
    store.set({ joined: { run, task, plan, layout }, runs: runs.with([summary]), error: null });
    this.heard(run);
    // Before any answer to a question that follows the join: calls are done in order.
    contributions
      .settle(run, 'all', (milliseconds) => pause(clock, milliseconds))
      .catch((thrown: unknown) => store.fail(thrown));
  }

  /** Takes the scaling that the participants of the run agreed on: from now on examples are scaled by it. */
  async scalingAgreed({ run, scaling, recipe }: ScalingAgreed): Promise<void> {
    const { store, data } = this.#o;
    const joined = this.#joined;
    if (joined?.run !== run || !awaitsScaling(joined.task.data)) return;
    const scaled = scaledOrNull(joined.task, scaling);
    if (scaled === null || recipeHash(scaled.data) !== recipe) return this.joinAgain();
    const { plan, layout, answers } = joined;
    this.#joined = { run, task: scaled, plan, layout, answers };
    store.set({ joined: { run, task: scaled, plan, layout } });
    await data.open(scaled).catch((thrown: unknown) => store.fail(thrown));
  }

  async leave(): Promise<void> {
    const { line, store } = this.#o;
    const run = this.#wanted;
    this.out();
    store.set({ error: null });
    // Offline, the coordinator finds out by itself.
    if (run !== null && store.isOnline) await line.request('leave', { run }).catch(() => {});
  }

  /** Takes this device out of the run, by its own will or the coordinator's. */
  out(): void {
    const { store, data, work } = this.#o;
    this.#wanted = null;
    this.#joined = null;
    this.#silence.stop();
    work.stop();
    data.close();
    store.set({ joined: null, activity: { kind: 'idle' }, peers: null, paused: false });
  }

  /** Takes the end of a run. It stays joined: its model can still be pulled. */
  runEnded(run: string): void {
    this.#forget(run);
    if (run !== this.#wanted) return;
    this.#ended = run;
    this.#o.work.stop();
    if (this.#joined?.run === run) this.rest();
  }

  async tellAvailability(): Promise<void> {
    const { line, store, data } = this.#o;
    const run = this.#joined?.run;
    if (run === undefined || !store.isOnline) return;
    const message = { run, paused: store.state.paused, examples: data.examples };
    // A lost answer is no matter: joining again says the same.
    await line.request('availability', message).catch(() => {});
  }

  /** Sets the activity between two questions. */
  rest(): void {
    const { store, data } = this.#o;
    const { paused, runs } = store.state;
    const run = this.#joined?.run ?? null;
    const activity = restingActivity({ run, runs, ended: this.#ended, paused, examples: data.examples });
    store.set({ activity });
  }

  /**
   * Notes that something was heard of a run. Where nothing more comes for long, joining again brings the open question
   * once more, or says that the run is over.
   */
  heard(run: string | undefined): void {
    if (run === undefined || run !== this.#wanted) return;
    this.#silence.stop();
    if (run === this.#ended) return;
    this.#silence.wait(this.#o.store.state.participant, () => {
      if (this.#o.work.ask === null) void this.joinAgain();
      this.heard(run);
    });
  }

  /** Ends the part in the run without a word to the coordinator. */
  close(): void {
    this.#wanted = null;
    this.#silence.stop();
    this.#o.work.stop();
    this.#o.data.close();
  }

  /** Removes the kept state of a run that is over. It costs room, nothing else, where that fails. */
  #forget(run: string): void {
    this.#o.contributions.forget((one) => one === run).catch(() => {});
  }
}

/** A task with an agreed scaling; `null` where that is of other columns. */
function scaledOrNull(task: Joined['task'], scaling: ScalingAgreed['scaling']): Joined['task'] | null {
  const { data } = task;
  try {
    return awaitsScaling(data) ? { ...task, data: withScaling(data, scaling) } : task;
  } catch {
    return null;
  }
}
