import { Worker } from 'node:worker_threads';
import { parsePartition, partition, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { CoppiceError } from '@coppice/protocol';
import type { DevicesCommand, DevicesEvent, Measured } from './device-messages.ts';
import { TASK } from './pace.ts';

export const DEVICES = 20;
/** The digits of a device at first, and those that come to it in a period. */
export const OWN = 200;
const EACH = 40;
/** The digits that models are measured on. */
export const TEST = 1000;

/** The devices of the demo, in a thread of their own, so that the coordinator beside them answers at once. */
export class Devices {
  readonly #worker = new Worker(new URL('./device-thread.ts', import.meta.url));
  readonly #failure = Promise.withResolvers<never>();

  constructor() {
    // Told by the call that waits, or by none.
    this.#failure.promise.catch(() => {});
    this.#worker.on('error', (error) => this.#failure.reject(error));
    this.#worker.on('message', (event: DevicesEvent) => {
      if (event.kind === 'failed') this.#failure.reject(new CoppiceError('internal', event.message));
    });
  }

  /** @param isTurned whether turned digits came to them before. */
  async begin(url: string, isTurned: boolean): Promise<void> {
    const { train, test } = await loadTaskData(TASK);
    const shares = partition(train.labels, DEVICES, parsePartition('iid'), 'demo');
    const first = Uint32Array.from({ length: TEST }, (_, row) => row);
    this.#order({
      kind: 'begin',
      data: {
        url,
        task: TASK,
        devices: shares.map((rows) => selectExamples(train, rows)),
        own: OWN,
        each: EACH,
        test: selectExamples(test, first),
        turned: isTurned,
      },
    });
  }

  /** Resolves when all have joined. */
  async join(run: string): Promise<void> {
    await this.#answerTo({ kind: 'join', run }, (event) => (event.kind === 'joined' ? event : null));
  }

  /** They predict and report from now on, and take part in later runs. Resolves when all offer reports. */
  async use(): Promise<void> {
    await this.#answerTo({ kind: 'use' }, (event) => (event.kind === 'used' ? event : null));
  }

  /** The digits that come from now on lie on their side. */
  turn(): void {
    this.#order({ kind: 'turn' });
  }

  /** Measures a model on digits that no device has. Null where it is not stored any more. */
  async measure(hash: string): Promise<Measured | null> {
    const { accuracy } = await this.#answerTo({ kind: 'measure', hash }, (event) =>
      event.kind === 'measured' && event.hash === hash ? event : null,
    );
    return accuracy;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #order(command: DevicesCommand): void {
    this.#worker.postMessage(command);
  }

  async #answerTo<T>(command: DevicesCommand, read: (event: DevicesEvent) => T | null): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const listen = (event: DevicesEvent) => {
      const answer = read(event);
      if (answer !== null) resolve(answer);
    };
    this.#worker.on('message', listen);
    try {
      this.#order(command);
      return await Promise.race([promise, this.#failure.promise]);
    } finally {
      this.#worker.off('message', listen);
    }
  }
}
