import { Worker } from 'node:worker_threads';
import { CoppiceError } from '@coppice/protocol';
import type { ClientsData, ClientsEvent } from './client-messages.ts';

/** Threads of headless clients. They start at once, so that they load while the coordinator does; clients follow on request. */
export class ClientThreads {
  readonly #workers: readonly Worker[];
  readonly #failures: Error[] = [];
  #listener: ((error: Error) => void) | null = null;

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./clients-thread.ts', import.meta.url));
      worker.on('error', (error) => this.#failed(error));
      return worker;
    });
  }

  /** Reports every failure of a thread to `listener`, earlier ones included. */
  onFailure(listener: (error: Error) => void): void {
    this.#listener = listener;
    for (const error of this.#failures) listener(error);
  }

  #failed(error: Error): void {
    this.#failures.push(error);
    this.#listener?.(error);
  }

  /**
   * Starts clients, distributed over the threads in turn.
   *
   * @param dataOf the initial message for one thread's clients.
   * @param onJoined receives the number of joined clients.
   * @returns when all of them have joined.
   */
  begin<T extends { readonly index: number }>(
    clients: readonly T[],
    dataOf: (clients: readonly T[]) => ClientsData,
    onJoined: (clients: number) => void = () => {},
  ): Promise<void> {
    const joined = new Set<number>();
    return new Promise((resolve) => {
      for (const [thread, worker] of this.#workers.entries()) {
        worker.on('message', (event: ClientsEvent) => {
          if (event.kind === 'failed') return this.#failed(new CoppiceError('internal', event.message));
          joined.add(event.client);
          onJoined(joined.size);
          if (joined.size === clients.length) resolve();
        });
        worker.postMessage(dataOf(clients.filter((_, place) => place % this.#workers.length === thread)));
      }
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
