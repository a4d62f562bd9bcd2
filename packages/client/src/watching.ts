import type { MonitoredState, MonitorTerms, ObservedPrediction, ParcelPass } from '@coppice/participant';
import { CoppiceError, type ReleaseNews } from '@coppice/protocol';
import type { Condition } from './conditions.ts';
import type { Device, DeviceEvent, NewExample, Sent } from './device.ts';
import type { PartState, PartTerms } from './taking-part.ts';

/** How far the watching of a task's predictions is in this browser. */
export interface MonitorStatus {
  /** True while the coordinator knows that this browser answers. */
  readonly offered: boolean;
  /** Whether the coordinator watches the task now; null before it is known. */
  readonly watched: boolean | null;
  /** Predictions since the last report; told every few seconds. */
  readonly observations: number;
  /** The last failure; `consent-outdated` asks for the consent to what is reported now. */
  readonly problem: CoppiceError | null;
}

type NamedPrediction = ObservedPrediction & { readonly id: string };

/** How far the part of this browser in the task's runs is. */
export interface PartStatus {
  /** See docs/embedding.md. */
  readonly state: PartState['state'];
  /** The run that is joined; null: none is. */
  readonly run: string | null;
  /** The conditions that are not met now. */
  readonly held: readonly Condition[];
  /** Those of them that the browser does not tell of: they are never met here. */
  readonly unknown: readonly Condition[];
  /** The last refusal. */
  readonly problem: CoppiceError | null;
}

export interface WatchingEvents {
  readonly news: ReleaseNews | null;
  readonly monitor: MonitorStatus | null;
  /** Opens models of runs that are not open; null: there is none. */
  readonly pass: ParcelPass | null;
  readonly part: PartStatus | null;
  readonly sent: Sent;
}

/** Predictions that are known before they are counted. */
const MOST_ASIDE = 16;

/** One task's part of this browser's device. The device is opened at the first need. */
export class Watching {
  readonly #task: string;
  readonly #open: () => Promise<Device>;
  readonly #tell: <E extends keyof WatchingEvents>(event: E, value: WatchingEvents[E]) => void;
  /** The last predictions that were not counted, by their ids. */
  readonly #aside = new Map<string, NamedPrediction>();
  #device: Promise<Device> | null = null;
  #release: () => void = () => {};

  /** @param options.open opens the device, or gives the one that is open; each is closed once. */
  constructor(options: {
    readonly task: string;
    readonly open: () => Promise<Device>;
    readonly tell: <E extends keyof WatchingEvents>(event: E, value: WatchingEvents[E]) => void;
  }) {
    this.#task = options.task;
    this.#open = options.open;
    this.#tell = options.tell;
  }

  /** True from the first call of `monitor` until `unmonitor`. */
  isOn = false;

  async monitor(how: MonitorTerms): Promise<void> {
    this.isOn = true;
    await (await this.#opened()).monitor(this.#task, how);
  }

  async unmonitor(): Promise<void> {
    this.isOn = false;
    await (await this.#opened()).unmonitor(this.#task);
  }

  /** Counts a prediction, where the task is monitored. */
  async observe(prediction: ObservedPrediction): Promise<void> {
    if (this.isOn) await (await this.#opened()).observe(this.#task, prediction);
  }

  /** Keeps a prediction for `use` and `outcome`. */
  putAside(prediction: NamedPrediction): void {
    this.#aside.set(prediction.id, prediction);
    const [oldest] = this.#aside.keys();
    if (this.#aside.size > MOST_ASIDE && oldest !== undefined) this.#aside.delete(oldest);
  }

  /** Counts a prediction that was put aside. @returns false where none with this id is, or nothing is counted. */
  async use(id: string): Promise<boolean> {
    const prediction = this.#aside.get(id);
    if (!this.isOn || prediction === undefined) return false;
    this.#aside.delete(id);
    await this.observe(prediction);
    return true;
  }

  /** @returns false where no prediction with this id awaits an outcome. @throws CoppiceError `data-invalid` */
  async outcome(id: string, label: number): Promise<boolean> {
    if (!this.isOn) return false;
    await this.use(id);
    return (await this.#opened()).outcome(this.#task, id, label);
  }

  async add(example: NewExample): Promise<void> {
    await (await this.#opened()).add(this.#task, example);
  }

  async takePart(how: PartTerms): Promise<void> {
    await (await this.#opened()).takePart(this.#task, how);
  }

  async leave(): Promise<void> {
    if (this.#device !== null) await (await this.#device).leave(this.#task);
  }

  /** Hears what the device tells from now on. One that cannot be opened tells nothing, and is opened at the next need. */
  listen(): void {
    this.#opened().catch(() => {});
  }

  close(): void {
    this.isOn = false;
    this.#aside.clear();
    this.#release();
    this.#device?.then(
      (device) => device.close(),
      () => {},
    );
    this.#device = null;
  }

  #opened(): Promise<Device> {
    if (this.#device === null) {
      const opening = this.#open().then((device) => {
        this.#release = device.subscribe((event) => this.#received(event));
        return device;
      });
      this.#device = opening;
      opening.catch(() => {
        this.#device = null;
      });
    }
    return this.#device;
  }

  #received(event: DeviceEvent): void {
    if (event.task !== this.#task) return;
    if (event.kind === 'release') this.#tell('news', event.news);
    else if (event.kind === 'sent') this.#tell('sent', event.sent);
    else if (event.kind === 'part') this.#tell('part', event.state === null ? null : partOf(event.state));
    else {
      this.#tell('pass', event.state?.pass ?? null);
      this.#tell('monitor', event.state === null ? null : statusOf(event.state));
    }
  }
}

function statusOf({ offered, watched, observations, error }: MonitoredState): MonitorStatus {
  const problem = error === null ? null : CoppiceError.fromWire(error);
  return { offered, watched, observations, problem };
}

function partOf({ error, ...state }: PartState): PartStatus {
  return { ...state, problem: error === null ? null : CoppiceError.fromWire(error) };
}
