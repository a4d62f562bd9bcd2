import { Worker } from 'node:worker_threads';
import { CoppiceError } from '@coppice/protocol';
import type { ClientsData, ClientsEvent } from './client-messages.ts';

/**
 * Threads of headless clients. They start at once, so that they load what they need while a coordinator does; clients
 * come when they are told which.
 */
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

  /** Whatever goes wrong in a thread, and what has gone wrong already, is told to `listener`. */
  onFailure(listener: (error: Error) => void): void {
    this.#listener = listener;
    for (const error of this.#failures) listener(error);
  }

  #failed(error: Error): void {
    this.#failures.push(error);
    this.#listener?.(error);
  }

  /**
   * Starts clients, dealt out to the threads in turn.
   *
   * @param dataOf what one thread's clients are told.
   * @param onJoined hears how many have joined.
   * @returns when all of them have.
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
