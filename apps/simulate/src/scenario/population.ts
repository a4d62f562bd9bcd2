import { crc32 } from 'node:zlib';
import type { RawExamples } from '@coppice/datasets';
import {
  createSession,
  type LocalData,
  memoryData,
  memoryState,
  type Session,
  socketTransport,
} from '@coppice/participant';
import { headlessIdentity, headlessSecret, trainerHost } from '@coppice/participant/node';
import { type Clock, seededRandom } from '@coppice/ports';
import type { Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { until } from './waiting.ts';

/** A simulated device, whose examples grow. */
export interface Device {
  readonly session: Session;
  readonly data: LocalData;
}

export interface PopulationOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly task: Task;
  readonly seed: number;
  readonly count: number;
}

/** The devices of a scenario: headless participants of one thread, over real sockets. */
export class Population {
  readonly devices: readonly Device[];
  readonly #host = trainerHost(createTrainer, ['planned']);

  constructor(options: PopulationOptions) {
    this.devices = Array.from({ length: options.count }, (_, index) => this.#device(index, options));
  }

  #device(index: number, { url, clock, task, seed }: PopulationOptions): Device {
    const name = `scenario/${seed}/${index}`;
    const marking = { random: seededRandom('examples', name), now: () => clock.now() };
    const data = memoryData(task.data, undefined, marking);
    const session = createSession({
      transport: socketTransport(url, headlessIdentity(name)),
      host: this.#host,
      openData: async () => data,
      splitSecret: headlessSecret(name),
      clock,
      checksum: (bytes) => crc32(bytes),
      device: 'headless',
      backend: 'planned',
      localState: memoryState(),
      keepModels: false,
    });
    return { session, data };
  }

  async connect(): Promise<void> {
    await Promise.all(
      this.devices.map(({ session }) => {
        session.connect();
        return until(session, 'it is connected', ({ connection }) => connection === 'online');
      }),
    );
  }

  /** Adds examples to each device, by its number. */
  async add(examplesOf: (device: number) => RawExamples): Promise<void> {
    await Promise.all(
      this.devices.map(async ({ session, data }, index) => {
        await data.add(examplesOf(index), 'csv');
        await session.dataChanged();
      }),
    );
  }

  async join(run: string): Promise<void> {
    await Promise.all(this.devices.map(({ session }) => session.join(run)));
  }

  /** Waits for the end of the run that all have joined, and leaves it. */
  async finish(): Promise<void> {
    await Promise.all(
      this.devices.map(async ({ session }) => {
        await until(session, 'its run is over', ({ activity }) => activity.kind === 'ended');
        await session.leave();
      }),
    );
  }

  /** Bytes that all devices have sent and received over their sockets. */
  get bytes(): number {
    return this.devices.reduce((sum, { session }) => {
      const { sent, received } = session.state;
      return sum + sent.bytes + received.bytes;
    }, 0);
  }

  close(): void {
    for (const { session } of this.devices) session.close();
    this.#host.dispose();
  }
}
