import type { RawExamples } from '@coppice/datasets';
import { type LocalData, memoryData, type Session, type TaskSource } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { type Clock, seededRandom } from '@coppice/ports';
import { CoppiceError, type Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { Questions } from './questions.ts';
import { until } from './waiting.ts';

/** A simulated device, whose examples grow. */
export interface Device {
  readonly session: Session;
  readonly data: LocalData;
  readonly questions: Questions;
  /** The hashes of the models that it has. */
  readonly models: Set<string>;
}

export interface PopulationOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly task: Task;
  readonly seed: number;
  readonly count: number;
  /** Bytes of a model. */
  readonly modelBytes: number;
  /** Reads what is public of tasks, for all devices together. */
  readonly source: TaskSource;
}

/** The devices of a scenario: headless participants of one thread, over real sockets. */
export class Population {
  readonly devices: readonly Device[];
  readonly #modelBytes: number;
  readonly #host = trainerHost(createTrainer, ['planned']);

  constructor(options: PopulationOptions) {
    this.#modelBytes = options.modelBytes;
    this.devices = Array.from({ length: options.count }, (_, index) => this.#device(index, options));
  }

  #device(index: number, { url, clock, task, seed, source }: PopulationOptions): Device {
    const name = `scenario/${seed}/${index}`;
    const marking = { random: seededRandom('examples', name), now: () => clock.now() };
    const data = memoryData(task.data, undefined, marking);
    // The session closes what it opened; the examples stay.
    const opened: LocalData = { ...data, close: () => {} };
    const models = new Set<string>();
    const questions = new Questions(clock);
    const session = createHeadlessParticipant({
      url,
      identity: name,
      host: this.#host,
      backend: 'planned',
      examples: { count: 0, features: new Uint8Array(0), labels: new Float32Array(0) },
      openData: async () => opened,
      clock,
      through: (connection) => questions.over(connection),
      tasks: {
        ...source,
        model(id, hash) {
          models.add(hash);
          return source.model(id, hash);
        },
      },
    });
    return { session, data, questions, models };
  }

  async connect(): Promise<void> {
    await Promise.all(
      this.devices.map(({ session }) => {
        session.connect();
        return until(session, 'its devices were connected', () => {
          const { connection, error } = session.state;
          if (connection === 'refused' && error !== null) throw CoppiceError.fromWire(error);
          return connection === 'online';
        });
      }),
    );
  }

  /** Adds examples to each device, by its number. */
  async add(examplesOf: (device: number) => RawExamples): Promise<void> {
    for (const [index, { session, data }] of this.devices.entries()) {
      await data.add(examplesOf(index), 'csv');
      await session.dataChanged();
    }
  }

  async join(run: string): Promise<void> {
    await Promise.all(this.devices.map(({ session }) => session.join(run)));
  }

  /** Waits for the end of the run that all have joined, and leaves it. */
  async finish(): Promise<void> {
    await Promise.all(
      this.devices.map(async ({ session }) => {
        await until(session, 'a run was over', () => {
          const { activity, joined, lastRound } = session.state;
          // It would be tried again after a pause by the clock, which stands still.
          if (lastRound?.outcome === 'abandoned' && lastRound.run === joined?.run)
            throw CoppiceError.fromWire(
              lastRound.reason ?? { code: 'quorum-lost', message: 'A round was lost.' },
            );
          return activity.kind === 'ended';
        });
        await session.leave();
      }),
    );
  }

  /** Bytes that all devices have sent and received over their sockets, and of the models that they fetched to predict or compare. */
  get bytes(): number {
    return this.devices.reduce(
      (sum, { questions, models }) => sum + questions.bytes + models.size * this.#modelBytes,
      0,
    );
  }

  close(): void {
    for (const { session } of this.devices) session.close();
    this.#host.dispose();
  }
}
