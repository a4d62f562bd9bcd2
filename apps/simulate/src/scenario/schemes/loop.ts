import {
  CoppiceError,
  type Firing,
  type PolicyInfo,
  type PutPolicy,
  partsOfCheckpointId,
  type Releases,
  type WatchedPeriod,
  type WatchInfo,
} from '@coppice/protocol';
import type { Device } from '../population.ts';
import type { Question } from '../questions.ts';
import type { Scenario } from '../scenario.ts';
import { readUntil, until } from '../waiting.ts';
import type { World } from '../world.ts';
import { type Kept, NOTHING, type Predicted, type Scheme } from './scheme.ts';

/** The fields of a policy that are read here. */
interface PolicyFields {
  readonly trigger?: { readonly floor?: { readonly error: number } | null } | null;
}

/**
 * The loop: devices report, the coordinator judges, launches, compares and releases by its policy. The clock moves on when
 * every device has answered what it was asked.
 */
export function loop(world: World, scenario: Pick<Scenario, 'policies' | 'size'>): Scheme {
  return new Loop(world, scenario);
}

class Loop implements Scheme {
  readonly #world: World;
  readonly #policies: Scenario['policies'];
  readonly #task: string;
  readonly #devices: readonly Device[];
  /** Questions that each device had before the clock moved, and those of them that it had too little to answer. */
  #known: { readonly questions: number; readonly withheld: number }[] = [];
  #production = '';
  /** The version of the policy, and its error floor. */
  #version: number | null = null;
  #floor: number | null = null;
  /** The newest period whose verdict was read, and the newest firing that ended. */
  #judged = -1;
  #ended = 0;
  /** Predictions of this world, for their names. */
  #predictions = 0;

  constructor(world: World, { policies }: Pick<Scenario, 'policies'>) {
    this.#world = world;
    this.#policies = policies;
    this.#task = world.stream.task.id;
    this.#devices = world.population.devices;
  }

  async begin({ hash }: { readonly hash: string }): Promise<void> {
    this.#production = hash;
    this.#noteQuestions();
    await this.#savePolicy(1);
    const { consent } = await readUntil(
      'the task was watched',
      () => this.#watch(),
      (watch) => watch.consent !== null,
    );
    const how = { consent: consent as string };
    await Promise.all(this.#devices.map(({ session }) => session.monitor(this.#task, how)));
    await this.#settle();
    // The rest of period 0, in which nothing is predicted.
    await this.#endPeriod();
  }

  modelOf(device: number): string {
    const { releases } = (this.#devices[device] as Device).session.state;
    const canary = releases[this.#task]?.canary ?? null;
    return canary?.arm === 'canary' ? canary.hash : this.#production;
  }

  async predicted(index: number, _period: number, predictions: readonly Predicted[]): Promise<void> {
    const { session } = this.#devices[index] as Device;
    for (const { label, ...prediction } of predictions) {
      const id = String(this.#predictions++);
      session.observe(this.#task, { ...prediction, id });
      await session.outcome(this.#task, id, label);
    }
  }

  async after(period: number): Promise<Kept> {
    await this.#endPeriod();
    const verdict = await this.#verdict();
    const kept = await this.#firings();
    await this.#savePolicy(period + 1);
    return { ...kept, verdict };
  }

  /** Saves the policy that holds from a period on, if there is one. */
  async #savePolicy(period: number): Promise<void> {
    const step = this.#policies.find((one) => one.period === period);
    if (step === undefined) return;
    const asked: PutPolicy = { expected: this.#version, policy: step.policy };
    const path = `/api/tasks/${this.#task}/policy`;
    const { version } = await this.#world.link.request<PolicyInfo>('PUT', path, asked);
    this.#version = version;
    this.#floor = (step.policy as PolicyFields).trigger?.floor?.error ?? null;
  }

  #watch(): Promise<WatchInfo> {
    return this.#world.link.request('GET', `/api/tasks/${this.#task}/watch`);
  }

  /** Ends the open period, and waits until the reports of the next are in. */
  async #endPeriod(): Promise<void> {
    this.#closeOpen('report');
    await this.#settle();
  }

  /** Moves the clock to the end of the open question of a kind. */
  #closeOpen(kind: string): void {
    const { clock } = this.#world;
    const open = this.#devices.flatMap(
      ({ questions }) => questions.all.findLast((one) => one.kind === kind) ?? [],
    );
    this.#noteQuestions();
    clock.advance(Math.max(0, ...open.map(({ closesAt }) => closesAt - clock.now())));
  }

  #noteQuestions(): void {
    this.#known = this.#devices.map((device) => ({
      questions: device.questions.all.length,
      withheld: this.#withheldBy(device),
    }));
  }

  /** Waits until each device was asked for a report, past the parts of a reference. */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#answered((one) => one.kind === 'statistics' || one.kind === 'report');
      if (this.#devices.every(({ questions }) => questions.all.at(-1)?.kind !== 'statistics')) return;
      this.#closeOpen('statistics');
    }
  }

  #withheldBy({ session }: Device): number {
    return session.state.monitored[this.#task]?.withheld ?? 0;
  }

  /** Waits until each device has a new question of a kind, and has answered it or has too little to. */
  async #answered(wanted: (question: Question) => boolean): Promise<void> {
    await Promise.all(
      this.#devices.map((device, index) =>
        until(both(device.questions, device.session), 'every device had answered', () => {
          const known = this.#known[index];
          const asked = device.questions.all.slice(known?.questions).findLast(wanted);
          return asked !== undefined && (asked.answered || this.#withheldBy(device) > (known?.withheld ?? 0));
        }),
      ),
    );
  }

  async #verdict(): Promise<Kept['verdict']> {
    const path = `/api/tasks/${this.#task}/drift?limit=1`;
    const [newest] = await this.#world.link.request<WatchedPeriod[]>('GET', path);
    if (newest === undefined || newest.period <= this.#judged) return null;
    this.#judged = newest.period;
    const { verdict } = newest;
    if (verdict === null) return null;
    const { drift, quality, errors } = verdict;
    return {
      drift: drift.alarm,
      quality: quality.alarm,
      floor: this.#floor !== null && errors !== null && errors.interval[0] > this.#floor,
    };
  }

  /** Does the devices' part in a firing, as far as it goes in this period. */
  async #firings(): Promise<Omit<Kept, 'verdict'>> {
    const { verdict: _none, ...kept } = NOTHING;
    let { rounds, trained } = kept;
    for (;;) {
      const firing = await this.#newest();
      if (firing === null || firing.sequence <= this.#ended) return { ...kept, rounds, trained };
      const { state } = firing;
      if (state === 'launching') await this.#past(firing);
      else if (state === 'training') {
        const cost = await this.#train(firing.run as string);
        rounds += cost.rounds;
        trained += cost.trained;
        await this.#past(firing);
      } else if (state === 'comparing') {
        const decision = firing.comparison?.decision ?? null;
        if (decision === 'wait') return { ...kept, rounds, trained };
        // Once it is decided, the firing moves on by itself.
        if (decision === null) await this.#compare(firing);
        else await this.#past(firing);
      } else if (state === 'canary') {
        if (firing.canary === null || firing.canary.decision !== null) await this.#past(firing);
        else {
          await this.#heardOf({ canary: firing.canary.sequence, production: this.#production });
          return { ...kept, rounds, trained };
        }
      } else {
        this.#ended = firing.sequence;
        if (firing.outcome === 'released') await this.#released();
        await this.#heardOf({ canary: null, production: this.#production });
        return {
          rounds,
          trained,
          releases: firing.outcome === 'released' ? 1 : 0,
          rollbacks: firing.outcome === 'rolled-back' ? 1 : 0,
          refused: firing.outcome === 'refused' ? 1 : 0,
        };
      }
    }
  }

  async #newest(): Promise<Firing | null> {
    const path = `/api/tasks/${this.#task}/firings?limit=1`;
    const [newest = null] = await this.#world.link.request<Firing[]>('GET', path);
    return newest;
  }

  /** Waits until a firing is in another state, or further in it. */
  async #past(before: Firing): Promise<void> {
    await readUntil(
      `firing ${before.sequence} was past ${before.state}`,
      () => this.#newest(),
      (now) => JSON.stringify(now) !== JSON.stringify(before),
    );
  }

  async #train(run: string): Promise<{ readonly rounds: number; readonly trained: number }> {
    const { population } = this.#world;
    await population.join(run);
    await population.finish();
    return this.#world.costOf(run);
  }

  async #compare(firing: Firing): Promise<void> {
    await this.#answered(({ kind }) => kind === 'compare');
    this.#closeOpen('compare');
    await this.#past(firing);
  }

  /** Waits until every device knows a canary by its number, or that there is none, and the hash of the model in production. */
  async #heardOf({ canary, production }: { canary: number | null; production: string }): Promise<void> {
    await Promise.all(
      this.#devices.map(({ session }) =>
        until(session, 'every device had heard of the release', () => {
          const news = session.state.releases[this.#task];
          return (news?.canary?.sequence ?? null) === canary && news?.production?.hash === production;
        }),
      ),
    );
  }

  /** Takes up what production names now, and lets its reference be made. */
  async #released(): Promise<void> {
    const { link } = this.#world;
    const { channels } = await link.request<Releases>('GET', `/api/tasks/${this.#task}/releases`);
    const { run, round } = partsOfCheckpointId(channels.production?.checkpoint as string);
    const made = (await link.rounds(run)).findLast((one) => one.round === round)?.checkpoint;
    if (typeof made !== 'string')
      throw new CoppiceError('checkpoint-unknown', `${run} has no round ${round}.`);
    this.#production = made;
    const { state } = await readUntil(
      'the new release was watched',
      () => this.#watch(),
      ({ release }) => release?.hash === made,
    );
    if (state !== 'reference') return;
    await Promise.all(
      this.#devices.map(({ questions }) =>
        until(questions, 'statistics were asked for', () => questions.all.at(-1)?.kind === 'statistics'),
      ),
    );
    await this.#settle();
  }
}

/** Both as one that tells of the changes of either. */
function both(...subjects: readonly { subscribe(changed: () => void): () => void }[]) {
  return {
    subscribe(changed: () => void) {
      const stops = subjects.map((subject) => subject.subscribe(changed));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
