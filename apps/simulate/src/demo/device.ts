import { type RawExamples, rotatePictures, selectExamples } from '@coppice/datasets';
import {
  exampleIds,
  type LocalData,
  memoryData,
  type Session,
  type TaskSource,
  type TrainerHost,
} from '@coppice/participant';
import { createHeadlessParticipant } from '@coppice/participant/node';
import { seededRandom } from '@coppice/ports';
import type { Task } from '@coppice/protocol';
import type { Predictions } from './predictions.ts';

/** The most digits with an outcome that a device keeps. */
const MOST_KEPT = 400;

/** What the devices of a demo have in common. */
export interface Surroundings {
  readonly url: string;
  readonly task: Pick<Task, 'id' | 'data' | 'loss'>;
  readonly source: TaskSource;
  readonly host: TrainerHost;
  readonly predictions: Predictions;
  /** The digits that a device has at first, and those that come to it in a period. */
  readonly own: number;
  readonly each: number;
  /** Whether the digits that come are turned. */
  isTurned: boolean;
}

/** A simulated device of a person that asks the released model about digits, and tells which answers were right. */
export class Device {
  readonly session: Session;
  readonly #digits: RawExamples;
  readonly #around: Surroundings;
  readonly #data: LocalData;
  /** The consent that was given last. */
  #consent: string | null = null;
  /** Digits that came so far. */
  #came = 0;
  /** What the device does one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(index: number, digits: RawExamples, around: Surroundings) {
    const { url, task, source, host, own } = around;
    this.#digits = digits;
    this.#around = around;
    const identity = `demo/${index}`;
    const examples = selectExamples(digits, range(0, own));
    this.#data = memoryData(task.data, examples, {
      random: seededRandom('examples', identity),
      now: () => Date.now(),
    });
    this.session = createHeadlessParticipant({
      url,
      identity,
      host,
      backend: 'planned',
      examples,
      // The session closes what it opened; the examples stay.
      openData: async () => ({ ...this.#data, close: () => {} }),
      tasks: source,
    });
    this.session.connect();
  }

  /** Adds the digits of earlier periods, of which nothing is known any more after a restart. */
  async catchUp(): Promise<void> {
    await this.#keep(this.#next(MOST_KEPT / 2));
  }

  /** Resolves when the device takes part in a run. */
  async join(run: string): Promise<void> {
    await this.session.join(run);
    const waits = () => this.session.state.joined !== null && this.session.state.activity.kind === 'waiting';
    await new Promise<void>((resolve) => {
      if (waits()) return resolve();
      const stop = this.session.subscribe(() => {
        if (!waits()) return;
        stop();
        resolve();
      });
    });
  }

  /** Offers reports, predicts some digits for each, and takes part in later runs of the task. */
  async use(): Promise<void> {
    const { task } = this.#around;
    await this.#agree();
    const joined = new Set<string>();
    let told: string | null = null;
    const follow = () => {
      const { runs, joined: current, activity, monitored } = this.session.state;
      const isFree = current === null || activity.kind === 'ended';
      const open = runs.find(
        ({ id, task: of, status }) => of === task.id && status === 'running' && !joined.has(id),
      );
      if (isFree && open !== undefined && current?.run !== open.id) {
        joined.add(open.id);
        this.session.join(open.id).catch(() => joined.delete(open.id));
      }
      const { info = null, reported = null, error = null } = monitored[task.id] ?? {};
      if (error?.code === 'consent-outdated') this.#afterwards(() => this.#agree());
      // Anew after each report, and where counting begins with another reference.
      const now = info?.state === 'reports' ? `${info.reference?.identity} ${reported}` : null;
      if (now === null || now === told) return;
      told = now;
      this.predictMore();
    };
    this.session.subscribe(follow);
    await this.session.watch([]);
    follow();
  }

  /** Predicts the next digits. */
  predictMore(): void {
    this.#afterwards(() => this.#predict());
  }

  #afterwards(work: () => Promise<void>): void {
    // A period without predictions, or a consent that came late, is made up for in the next one.
    this.#turn = this.#turn.then(work).catch(() => {});
  }

  /** Consents to what is reported now, unless it did. */
  async #agree(): Promise<void> {
    const { task, source } = this.#around;
    const { consent } = await source.watch(task.id);
    if (consent === null || consent === this.#consent) return;
    await this.session.monitor(task.id, { consent });
    this.#consent = consent;
  }

  async #predict(): Promise<void> {
    const { task, source, predictions, each } = this.#around;
    const news = this.session.state.releases[task.id];
    const arm = news?.canary?.arm === 'canary' ? news.canary : news?.production;
    const release = news === undefined ? (await source.watch(task.id)).release : arm;
    if (release == null) return;
    const digits = this.#next(each);
    const answers = await predictions.predict(release.hash, digits);
    const size = digits.features.length / digits.count;
    for (const [row, { output, features }] of answers.entries()) {
      const id = `${this.#came} ${row}`;
      const example = digits.features.slice(row * size, (row + 1) * size);
      this.session.observe(task.id, { hash: release.hash, example, output, features, id });
      await this.session.outcome(task.id, id, digits.labels[row] as number);
    }
    await this.#keep(digits);
  }

  /** The next digits that come, over and over again. */
  #next(count: number): RawExamples {
    const { own, isTurned } = this.#around;
    const more = this.#digits.count - own;
    const rows = Uint32Array.from({ length: count }, (_, i) => own + ((this.#came + i) % more));
    this.#came += count;
    const digits = selectExamples(this.#digits, rows);
    return isTurned ? onTheirSide(digits) : digits;
  }

  /** Adds digits with their outcomes, in the place of the oldest ones of these. */
  async #keep(digits: RawExamples): Promise<void> {
    await this.#data.add(digits, 'outcome');
    const all = await this.#data.examples();
    const kept = exampleIds(all).filter((_, row) => all.sources[row] === 'outcome');
    if (kept.length > MOST_KEPT) await this.#data.remove(kept.slice(0, kept.length - MOST_KEPT));
  }
}

/** Digits of MNIST, turned by a quarter to the right. */
export function onTheirSide(digits: RawExamples): RawExamples {
  return rotatePictures(digits, { width: 28, height: 28, channels: 1 }, -90);
}

function range(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i);
}
