import type { Clock } from '@coppice/ports';
import {
  type Checksum,
  CoppiceError,
  type ReleaseNews,
  recipeHash,
  type TaskAsk,
  type WireError,
} from '@coppice/protocol';
import { deliver, pause } from '../delivery.ts';
import type { LocalData, OpenLocalData } from '../local-data.ts';
import { reportedMilliseconds } from '../reported.ts';
import type { MonitoredState } from '../session-state.ts';
import type { TrainerHost } from '../trainer-host.ts';
import { Awaiting } from '../watch/awaiting.ts';
import { answerCompare } from '../watch/compare.ts';
import { Counting } from '../watch/counting.ts';
import type { KeptInputs } from '../watch/kept-inputs.ts';
import type { KeptMonitors } from '../watch/kept-monitors.ts';
import type { ObservedPrediction } from '../watch/observation.ts';
import { reportFrame } from '../watch/report-frame.ts';
import { exampleStatistics } from '../watch/statistics.ts';
import type { TaskModel, TaskSource, WatchedTask } from '../watch/task-source.ts';
import { termsOf, type WatchTerms } from '../watch/terms.ts';
import { contentOf, type Line } from './line.ts';

/** Milliseconds after the first change until counts are written: the most that a crash loses. */
export const SAVE_AFTER = 5_000;

/** Predictions that wait until it is known what they are held against. */
const MOST_EARLY = 1_000;

/** Attempts to read from the coordinator what a question is about. */
const ATTEMPTS = 3;
/** Pause after the first of them, doubled after each. */
const PAUSE = 1_000;

/** The consent that a person gave, and the way in. */
export interface MonitorTerms {
  /** The version of the consent (`WatchInfo.consent`). */
  readonly consent: string;
  /**
   * Keeps the inputs of predictions on this device for so many days, so that they become examples when their outcome comes:
   * where the person agreed to that, which is a consent of its own. Left out, none are kept, and earlier ones are deleted.
   */
  readonly keepInputs?: { readonly days: number };
  /** The secret of an invitation, for a task that would not admit this participant otherwise. */
  readonly invitation?: string;
}

export interface MonitoredTaskOptions {
  readonly line: Line;
  readonly source: TaskSource;
  readonly kept: KeptMonitors;
  readonly inputs: KeptInputs;
  readonly host: TrainerHost;
  readonly openData: OpenLocalData;
  readonly clock: Clock;
  readonly checksum: Checksum;
  /** The device's secret that decides which examples are held out, and the share in place of the task's. */
  readonly splitSecret: Uint8Array;
  readonly heldOut: number | undefined;
  /** The id of this device as a participant; empty before the first connection. */
  readonly participant: () => string;
  /** The time by the coordinator's clock, milliseconds since 1970; by the device's own before the first connection. */
  readonly now: () => number;
  readonly isOnline: () => boolean;
  /** The end of what this device did with the task before. */
  readonly before: Promise<void>;
  /** Called when an example was added. */
  readonly added: () => void;
  /** Shows a change of this task's state. */
  readonly show: (change: Partial<MonitoredState>) => void;
}

/** One task that this device watches: its offer, its counts and its answers. */
export class MonitoredTask {
  readonly #o: MonitoredTaskOptions;
  readonly #id: string;
  readonly #how: MonitorTerms;
  readonly #consent: string;
  /** `null`: no inputs are kept. */
  readonly #awaiting: Awaiting | null;
  readonly #closing = new AbortController();
  /** Shown with each offer until one was accepted. */
  #invitation: string | undefined;
  /** True where the coordinator refused for good, or the consent is to other reports: nothing is sent. */
  #out = false;
  #task: WatchedTask | null = null;
  /** What the coordinator asks about, as it was last read. */
  #terms: WatchTerms | null = null;
  #counting: Counting | null = null;
  /** As the coordinator told at last; `undefined` before the first connection: the kept arm goes on. */
  #news: ReleaseNews | null | undefined;
  /** Predictions before anything was known; `null` afterwards. */
  #early: ObservedPrediction[] | null = [];
  #data: Promise<LocalData> | null = null;
  #stopSaving: (() => void) | null = null;
  #answered = 0;
  #withheld = 0;
  /** The last of the answers, which are made one after the other, and of the writes. */
  #answers: Promise<unknown> = Promise.resolve();
  #writes: Promise<unknown> = Promise.resolve();
  /** The offer that is on its way; `null`: none is. */
  #offering: Promise<void> | null = null;
  /** The number of the connection. */
  #connection = 0;
  readonly #opened: Promise<void>;

  constructor(id: string, how: MonitorTerms, options: MonitoredTaskOptions) {
    const { consent, invitation, keepInputs } = how;
    this.#o = options;
    this.#id = id;
    this.#how = how;
    this.#consent = consent;
    this.#invitation = invitation;
    const { inputs, now } = options;
    this.#awaiting =
      keepInputs === undefined ? null : new Awaiting({ task: id, days: keepInputs.days, kept: inputs, now });
    this.#opened = this.#open();
    this.#opened.catch(() => {});
  }

  /** True where this goes on as well as a new one would. */
  isFor({ consent, keepInputs, invitation }: MonitorTerms): boolean {
    const known = this.#how;
    return (
      !this.#out &&
      consent === known.consent &&
      keepInputs?.days === known.keepInputs?.days &&
      (invitation === undefined || invitation === known.invitation)
    );
  }

  /**
   * Offers answers to the task's questions, where there is a connection.
   *
   * @throws CoppiceError the refusal of the coordinator.
   */
  offer(): Promise<void> {
    this.#offering ??= this.#offer().finally(() => {
      this.#offering = null;
    });
    return this.#offering;
  }

  async #offer(): Promise<void> {
    const { line, isOnline, participant, show } = this.#o;
    for (;;) {
      if (this.#out) return;
      await this.#opened.catch(() => {});
      const connection = this.#connection;
      if (!isOnline()) return;
      try {
        const { data } = await this.#patiently(() => this.#known());
        const { watched, ticket } = contentOf(
          await line.request('monitor', {
            task: this.#id,
            consent: this.#consent,
            recipe: recipeHash(data),
            ...(this.#invitation === undefined ? {} : { invitation: this.#invitation }),
          }),
        );
        this.#invitation = undefined;
        const pass = ticket === undefined ? null : { participant: participant(), ticket };
        return show({ offered: true, watched, pass, error: null });
      } catch (thrown) {
        const error = CoppiceError.from(thrown);
        this.#failed(error);
        if (error.code !== 'connection-lost') throw error;
        // Else the next connection offers again.
        if (connection === this.#connection) return;
      }
    }
  }

  /** Offers again after a connection, and shows a failure. */
  offerAgain(): void {
    this.#connection++;
    this.#o.show({ offered: false });
    this.offer().catch(() => {});
  }

  /** @throws CoppiceError `data-invalid` */
  observe(prediction: ObservedPrediction): void {
    if (this.#early === null) this.#count(prediction);
    else if (this.#early.length < MOST_EARLY) this.#early.push(prediction);
  }

  /** @returns false where no prediction awaits it. @throws CoppiceError `data-invalid`, `storage-full`, `storage-failed` */
  async outcome(id: string, label: number): Promise<boolean> {
    await this.#opened.catch(() => {});
    const counted = this.#counting?.outcome(id, label) ?? false;
    const added = await this.#add(id, label);
    if (counted || added) this.#changed();
    return counted || added;
  }

  /** Takes the releases of the task; `null`: this device has no arm of a canary, and nothing else is known. */
  released(news: ReleaseNews | null): void {
    this.#news = news;
    this.#counting?.released(news ?? { production: null, canary: null });
  }

  /** Takes the end of an offer, such as one whose consent is to what was asked before. */
  refused(error: WireError): void {
    this.#failed(CoppiceError.fromWire(error));
  }

  /** Answers a question; all that goes wrong is shown. Kinds that are unknown are not answered. */
  asked(ask: TaskAsk): Promise<void> {
    const done = this.#answers.then(async () => {
      if (this.#out || this.#closing.signal.aborted) return;
      try {
        await this.#opened.catch(() => {});
        await this.#answer(ask);
      } catch (thrown) {
        if (!this.#closing.signal.aborted) this.#failed(CoppiceError.from(thrown));
      }
    });
    this.#answers = done;
    return done;
  }

  /** Writes what was counted since the last time. A failure is shown. */
  save(): Promise<void> {
    this.#stopSaving?.();
    this.#stopSaving = null;
    const { kept, show } = this.#o;
    const counting = this.#counting;
    if (counting === null) return Promise.resolve();
    show(counting.counted);
    const written = this.#writes
      .then(async () => {
        await kept.put(this.#id, counting.kept());
        await this.#awaiting?.save();
      })
      .catch((thrown: unknown) => show({ error: CoppiceError.from(thrown).toWire() }));
    this.#writes = written;
    return written;
  }

  /** Ends all work, and writes what was counted. */
  async close(): Promise<void> {
    if (this.#stopSaving !== null) void this.save();
    this.#end();
    await this.#writes;
  }

  /** Ends all work, and forgets what was counted. */
  async forget(): Promise<void> {
    this.#end();
    this.#counting = null;
    await this.#writes;
    await this.#o.kept.remove(this.#id);
    await this.#o.inputs.remove(this.#id);
  }

  #end(): void {
    this.#closing.abort();
    this.#stopSaving?.();
    this.#stopSaving = null;
    this.#data?.then(
      (data) => data.close(),
      () => {},
    );
  }

  /** Goes on with what was kept, then asks what is reported now. */
  async #open(): Promise<void> {
    const { kept, before, show } = this.#o;
    try {
      await before;
      const stored = await kept.get(this.#id).catch((thrown: unknown) => {
        show({ error: CoppiceError.from(thrown).toWire() });
        return null;
      });
      if (this.#awaiting === null) await this.#o.inputs.remove(this.#id).catch(() => {});
      this.#counting = Counting.read(stored, this.#id);
      if (this.#counting !== null) show(this.#counting.counted);
      if (this.#news !== undefined) this.released(this.#news);
      await this.#refresh();
    } finally {
      const early = this.#early ?? [];
      this.#early = null;
      for (const prediction of early) {
        try {
          this.#count(prediction);
        } catch (thrown) {
          show({ error: CoppiceError.from(thrown).toWire() });
        }
      }
    }
  }

  /** The task; asked for again where that failed before. */
  async #known(): Promise<WatchedTask> {
    this.#task ??= this.#counting?.task ?? (await this.#o.source.task(this.#id));
    return this.#task;
  }

  /** Asks what is reported now. With another reference counting begins anew. */
  async #refresh(): Promise<WatchTerms | null> {
    const task = await this.#known();
    const info = await this.#o.source.watch(this.#id);
    const terms = termsOf(info, task);
    this.#terms = terms;
    const isCounted = terms !== null && terms.state === 'reports';
    if (isCounted && terms.identity !== this.#counting?.terms.identity) {
      this.#counting = new Counting(task, terms);
      if (this.#news !== undefined) this.released(this.#news);
      await this.save();
    }
    this.#o.show({ info });
    return terms;
  }

  #count(prediction: ObservedPrediction): void {
    const { id, example } = prediction;
    if (!this.#counting?.observe(prediction)) return;
    if (id !== undefined) this.#awaiting?.observe(id, example);
    this.#changed();
  }

  /** Adds the input of a prediction, with its outcome, to the examples. @returns false where none is kept. */
  async #add(id: string, label: number): Promise<boolean> {
    if (this.#awaiting === null) return false;
    const added = await this.#awaiting.outcome(id, label, await this.#examples(await this.#known()));
    if (added) this.#o.added();
    return added;
  }

  #changed(): void {
    this.#stopSaving ??= this.#o.clock.setTimer(SAVE_AFTER, () => {
      this.#stopSaving = null;
      void this.save();
    });
  }

  async #answer(ask: TaskAsk): Promise<void> {
    const { kind } = ask;
    if (kind !== 'statistics' && kind !== 'report' && kind !== 'compare') return;
    const terms = await this.#termsFor(ask);
    if (terms === null) return;
    if (terms.consent !== this.#consent) throw outdated(this.#id);
    if (kind === 'report') await this.#report(ask);
    else if (kind === 'statistics') await this.#statistics(ask, terms);
    else await this.#compare(ask);
  }

  /** What a question is about; `null` where the task asks for something else by now. */
  async #termsFor({ reference }: TaskAsk): Promise<WatchTerms | null> {
    // A comparison names no bins to hold the consent against: they are read anew.
    if (reference === null) return this.#patiently(() => this.#refresh());
    const known = [this.#terms, this.#counting?.terms];
    const found = known.find((one) => one?.identity === reference);
    if (found !== undefined && found !== null) return found;
    // A question may be here before its reference is to be read.
    for (let attempt = 1; ; attempt++) {
      const terms = await this.#patiently(() => this.#refresh());
      if (terms?.identity === reference) return terms;
      if (attempt === ATTEMPTS) return null;
      await pause(this.#o.clock, PAUSE * 2 ** (attempt - 1), this.#closing.signal);
    }
  }

  async #report(ask: TaskAsk): Promise<void> {
    const counting = this.#counting;
    if (counting === null || counting.terms.identity !== ask.reference) return;
    const numbers = counting.report(ask.period);
    if (numbers === null) return this.#withhold();
    // Before it is sent: once it is, it may count.
    await this.save();
    const frame = reportFrame('report', numbers, counting.terms, this.#o.checksum);
    const refused = await this.#deliver(ask, frame, 0);
    if (refused === null) counting.acknowledged();
    else counting.refused();
    await this.save();
    if (refused !== null) throw refused;
    this.#o.show({ reported: ask.period });
  }

  async #statistics(ask: TaskAsk, terms: WatchTerms): Promise<void> {
    const { host, clock, checksum } = this.#o;
    const [named] = ask.models;
    if (named === undefined) return;
    const task = await this.#known();
    const began = clock.elapsed();
    const numbers = await exampleStatistics({
      task,
      terms,
      model: await this.#model(ask, named.hash),
      examples: await (await this.#examples(task)).examples(),
      since: ask.since,
      host,
    });
    if (numbers === null) return this.#withhold();
    const frame = reportFrame('statistics', numbers, terms, checksum);
    const refused = await this.#deliver(ask, frame, clock.elapsed() - began);
    if (refused !== null) throw refused;
  }

  /** A model that a question names. */
  #model({ ticket }: TaskAsk, hash: string): Promise<TaskModel> {
    const { source, participant } = this.#o;
    return this.#patiently(() => source.model(this.#id, hash, { participant: participant(), ticket }));
  }

  async #compare(ask: TaskAsk): Promise<void> {
    const { host, clock, checksum, splitSecret: secret, heldOut } = this.#o;
    const [production, candidate] = ask.models;
    if (production === undefined || candidate === undefined) return;
    const task = await this.#known();
    const data = await (await this.#examples(task)).dataset();
    const began = clock.elapsed();
    const [ours, theirs] = [await this.#model(ask, production.hash), await this.#model(ask, candidate.hash)];
    const made = await answerCompare({
      task: { ...task, model: ours.topology },
      compared: {
        production: production.hash,
        candidate: candidate.hash,
        number: ask.period,
        older: ask.older ?? true,
      },
      production: ours.weights,
      candidate: theirs.weights,
      since: ask.since,
      data,
      secret,
      heldOut: heldOut ?? task.heldOut,
      host,
      checksum,
    });
    if (made === null) return this.#withhold();
    const refused = await this.#deliver(ask, made.frame, clock.elapsed() - began);
    if (refused !== null) throw refused;
  }

  /** Answers nothing: so few observations would tell too much of this device. */
  #withhold(): void {
    this.#o.show({ withheld: ++this.#withheld });
  }

  /** @returns `null` once it is acknowledged, else its refusal. @throws CoppiceError `connection-lost` */
  async #deliver(
    { ticket, kind }: TaskAsk,
    frame: Uint8Array,
    milliseconds: number,
  ): Promise<CoppiceError | null> {
    const { line, clock, show } = this.#o;
    const message = {
      task: this.#id,
      ticket,
      weight: 1,
      milliseconds: reportedMilliseconds(milliseconds),
      frame,
    };
    const refused = await deliver(message, {
      request: line.requestUnrecorded,
      clock,
      signal: this.#closing.signal,
      onSending: () => line.record('answer', message, undefined, kind),
    });
    line.countTraffic();
    if (refused === null) show({ answered: ++this.#answered, error: null });
    return refused;
  }

  #examples({ id, data }: WatchedTask): Promise<LocalData> {
    if (this.#data === null) {
      const opening = this.#o.openData(id, data);
      this.#data = opening;
      opening.catch(() => {
        this.#data = null;
      });
    }
    return this.#data;
  }

  /** Tries again where waiting may help. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (thrown) {
        const { retry, retryAfter } = CoppiceError.from(thrown);
        if (retry !== 'later' || attempt === ATTEMPTS) throw thrown;
        const wait = retryAfter ?? PAUSE * 2 ** (attempt - 1);
        await pause(this.#o.clock, wait, this.#closing.signal);
      }
    }
  }

  #failed(error: CoppiceError): void {
    if (error.code === 'connection-lost') return;
    const final = finals.has(error.code);
    if (final) this.#out = true;
    this.#o.show({ error: error.toWire(), ...(final ? { offered: false } : {}) });
  }
}

/** Refusals after which nothing more is sent until monitoring is asked for anew. */
const finals: ReadonlySet<string> = new Set([
  'consent-outdated',
  'run-not-admitted',
  'invitation-invalid',
  'participant-banned',
  'task-unknown',
]);

function outdated(task: string): CoppiceError {
  return new CoppiceError(
    'consent-outdated',
    `The consent is to other reports than those of the task "${task}": what they tell, or how often, has changed. Ask the person again.`,
  );
}
