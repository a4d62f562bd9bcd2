import type { Coordinator } from '@coppice/coordinator';
import type { Firing, Run, WatchInfo } from '@coppice/protocol';
import type { CoordinatorLink } from '../coordinator-link.ts';
import { type Devices, TEST } from './devices.ts';
import { firstRun, type Pace, policyOf, TASK } from './pace.ts';
import { accuracyLine, alarmLine, firingLines, periodLine, roundLine } from './sentences.ts';

export interface StoryOptions {
  readonly coordinator: Coordinator;
  readonly link: CoordinatorLink;
  readonly devices: Devices;
  readonly pace: Pace;
  readonly say: (line: string) => void;
  /** Receives what went wrong, once. */
  readonly failed: (message: string) => void;
  /** Resolves after a while; rejects where the demo ends. */
  readonly pause: () => Promise<unknown>;
}

/** Periods that are read at once. */
const PERIODS = 50;

/**
 * What the demo does beside its devices, step by step: a first run, its release, a policy, turned digits. Each step is left out
 * where the data folder has its result already, so that a demo that was stopped goes on.
 */
export class Story {
  readonly #options: StoryOptions;
  /** Rounds that were told, by run. */
  readonly #rounds = new Map<string, number>();
  /** The newest period, and the firings, as they were told last. */
  #period = -1;
  readonly #firings = new Map<number, Firing>();
  #isTurned: boolean;
  /** True once the model was retrained for the turned digits. */
  #isOver: boolean;
  /** True while alarms follow one another. */
  #isAlarmed = false;

  private constructor(options: StoryOptions, firings: readonly Firing[]) {
    this.#options = options;
    const forDrift = firings.filter(({ causes }) =>
      causes.some((reason) => (reason as { readonly cause?: string }).cause === 'drift'),
    );
    this.#isTurned = forDrift.length > 0;
    this.#isOver = forDrift.some(({ outcome }) => outcome === 'released');
    // What ended before is not told again.
    for (const firing of firings) if (firing.state === 'ended') this.#firings.set(firing.sequence, firing);
  }

  static async of(options: StoryOptions): Promise<Story> {
    return new Story(options, await options.link.firings(TASK));
  }

  /** Whether turned digits came before. */
  get isTurned(): boolean {
    return this.#isTurned;
  }

  /** The newest run of the task; a new one where there is none that can be released. */
  async run(): Promise<Run> {
    const { coordinator, link, pace } = this.#options;
    const runs = coordinator.runs.all().filter(({ task }) => task === TASK);
    const inProduction = (await link.releases(TASK)).channels.production !== null;
    const fits = runs.find(
      ({ status, round }) => ['created', 'running', 'paused'].includes(status) || round > 0,
    );
    const newest = fits ?? (inProduction ? runs[0] : undefined);
    if (newest !== undefined) return newest;
    return link.createRun(firstRun(pace));
  }

  /** Ends with the demo. */
  async tell(first: Run): Promise<never> {
    const { devices, failed, link, pause, say } = this.#options;
    const { production } = (await link.releases(TASK)).channels;
    if (production === null) await this.#release(first);
    else say(`${production.checkpoint} is in production.`);
    await this.#watch();
    const { release } = await this.#stateOf((watch) => watch.release !== null);
    let hash = (release as NonNullable<typeof release>).hash;
    if (this.#period < 0) {
      const measured = await devices.measure(hash);
      say(accuracyLine(`${TEST} test digits`, null, measured?.upright ?? null));
    }
    let trouble = '';
    for (;;) {
      await pause();
      try {
        hash = await this.#look(hash);
        trouble = '';
      } catch (thrown) {
        // The coordinator goes on without a look, such as one request too many; the next one tells what was missed.
        const { message } = thrown as Error;
        if (message !== trouble) failed(message);
        trouble = message;
      }
    }
  }

  /** Trains the first run to its end, and releases its last round. */
  async #release({ id, status, round }: Run): Promise<void> {
    const { devices, link, pause, say } = this.#options;
    this.#rounds.set(id, round);
    if (!['finished', 'stopped'].includes(status)) {
      say(`Training the first model: run ${id}.`);
      await devices.join(id);
      if (status === 'created') await link.act(id, 'start');
    }
    for (;;) {
      const run = await link.run(id);
      await this.#tellRounds(id);
      if (['finished', 'stopped'].includes(run.status) && run.round > 0) {
        await link.moveChannel(TASK, {
          channel: 'production',
          checkpoint: `${id}/${run.round}`,
          expected: null,
          reason: 'The first model of the demo.',
        });
        say(`Released: ${id}/${run.round} is in production.`);
        return;
      }
      await pause();
    }
  }

  /** Saves the policy where none ever was, and lets the devices report. */
  async #watch(): Promise<void> {
    const { devices, link, pace, say } = this.#options;
    const { version } = await link.policy(TASK);
    if (version === null) {
      await link.putPolicy(TASK, { expected: null, policy: policyOf(pace) });
      say(`Monitoring is on: a report of each device every ${pace.periodMilliseconds / 1000} s.`);
    } else this.#period = (await link.periods(TASK, 1))[0]?.period ?? -1;
    const { state } = await this.#stateOf(({ consent }) => consent !== null);
    await devices.use();
    say(
      state === 'reference'
        ? 'The devices report how their digits are distributed: the reference of the release.'
        : 'The devices report again.',
    );
  }

  async #stateOf(holds: (watch: WatchInfo) => boolean): Promise<WatchInfo> {
    for (;;) {
      const watch = await this.#options.link.watchInfo(TASK);
      if (holds(watch)) return watch;
      await this.#options.pause();
    }
  }

  /** Tells what is new. @returns the hash of the model in production. */
  async #look(hash: string): Promise<string> {
    const { devices, link, pace, say } = this.#options;
    const [periods, firings] = [await link.periods(TASK, PERIODS), await link.firings(TASK)];
    for (const period of periods.toReversed()) {
      if (period.period <= this.#period) continue;
      this.#period = period.period;
      if (!this.#isOver && period.reports > 0) say(periodLine(period));
      const alarm = alarmLine(period);
      if (alarm !== null && !this.#isAlarmed) say(alarm);
      this.#isAlarmed = alarm !== null;
    }
    for (const firing of firings.toReversed()) await this.#tellFiring(firing);
    const { release } = await link.watchInfo(TASK);
    const now = release?.hash ?? hash;
    if (now !== hash && this.#isTurned && !this.#isOver) {
      const [before, after] = [await devices.measure(hash), await devices.measure(now)];
      say(accuracyLine('turned digits', before?.turned ?? null, after?.turned ?? null));
      say(accuracyLine('upright digits', before?.upright ?? null, after?.upright ?? null));
      say('\nThe demo goes on: open a page, predict, report. Changes are told here.\n');
      this.#isOver = true;
    }
    const quiet = periods.filter(
      ({ release: of, verdict }) => of === release?.sequence && verdict?.drift.alarm === false,
    );
    if (!this.#isTurned && quiet.length >= pace.quiet && firings.every(({ state }) => state === 'ended')) {
      const measured = await devices.measure(now);
      say('\nFrom now on all digits lie on their side, as if people turned their phones.');
      say(accuracyLine('turned digits', null, measured?.turned ?? null));
      this.#isTurned = true;
      devices.turn();
    }
    return now;
  }

  async #tellFiring(firing: Firing): Promise<void> {
    const { say } = this.#options;
    const before = this.#firings.get(firing.sequence) ?? null;
    if (before?.state === 'ended') return;
    const told = before?.run ?? null;
    if (told !== null && before?.state === 'training') await this.#tellRounds(told);
    for (const line of firingLines(firing, before)) say(line);
    this.#firings.set(firing.sequence, firing);
  }

  async #tellRounds(run: string): Promise<void> {
    const { devices, link, say } = this.#options;
    const told = this.#rounds.get(run) ?? 0;
    for (const round of await link.rounds(run)) {
      const { checkpoint } = round;
      if (round.round <= told || checkpoint === null) continue;
      this.#rounds.set(run, round.round);
      const measured = await devices.measure(checkpoint);
      const accuracy = this.#isTurned ? measured?.turned : measured?.upright;
      say(
        accuracy === undefined
          ? roundLine(round, round.central?.accuracy ?? 0)
          : roundLine(round, accuracy, this.#isTurned ? 'turned digits' : ''),
      );
    }
  }
}
