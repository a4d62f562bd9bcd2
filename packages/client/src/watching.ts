import type { MonitoredState, MonitorTerms, ObservedPrediction } from '@coppice/participant';
import { CoppiceError, type ReleaseNews } from '@coppice/protocol';
import type { Device, DeviceEvent, Sent } from './device.ts';

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

export interface WatchingEvents {
  readonly news: ReleaseNews | null;
  readonly monitor: MonitorStatus | null;
  readonly sent: Sent;
}

/** One task's part of this browser's device. The device is opened at the first need. */
export class Watching {
  readonly #task: string;
  readonly #open: () => Promise<Device>;
  readonly #tell: <E extends keyof WatchingEvents>(event: E, value: WatchingEvents[E]) => void;
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

  /** @returns false where no prediction with this id awaits an outcome. @throws CoppiceError `data-invalid` */
  async outcome(id: string, label: number): Promise<boolean> {
    return this.isOn ? (await this.#opened()).outcome(this.#task, id, label) : false;
  }

  close(): void {
    this.isOn = false;
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
    else this.#tell('monitor', event.state === null ? null : statusOf(event.state));
  }
}

function statusOf({ offered, watched, observations, error }: MonitoredState): MonitorStatus {
  const problem = error === null ? null : CoppiceError.fromWire(error);
  return { offered, watched, observations, problem };
}
