import { Worker } from 'node:worker_threads';
import { CoppiceError, isErrorCode, type RoundEnd } from '@coppice/protocol';
import type { ClientMeasure, ClientsData, ClientsEvent, MeasureCommand } from './client-messages.ts';

/** Threads of headless clients. They start at once, so that they load while the coordinator does; clients follow on request. */
export class ClientThreads {
  readonly #workers: readonly Worker[];
  readonly #failures: Error[] = [];
  #listener: ((error: Error) => void) | null = null;
  #data: ClientsData | null = null;
  #joined = 0;

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
   * @param onRound receives the ends of rounds, as the first client hears of them.
   * @returns when all of them have joined; at once where they do not join.
   */
  begin<T extends { readonly index: number }>(
    clients: readonly T[],
    dataOf: (clients: readonly T[]) => ClientsData,
    onJoined: (clients: number) => void = () => {},
    onRound: (round: RoundEnd) => void = () => {},
  ): Promise<void> {
    const joined = new Set<number>();
    return new Promise((resolve) => {
      for (const [thread, worker] of this.#workers.entries()) {
        worker.on('message', (event: ClientsEvent) => {
          if (event.kind === 'failed') return this.#failed(this.#told(event, clients.length));
          if (event.kind === 'round') return onRound(event.round);
          if (event.kind !== 'joined') return;
          joined.add(event.client);
          this.#joined = joined.size;
          onJoined(joined.size);
          if (joined.size === clients.length) resolve();
        });
        this.#data = dataOf(clients.filter((_, place) => place % this.#workers.length === thread));
        worker.postMessage(this.#data);
        if (!this.#data.join) resolve();
      }
    });
  }

  /** Measures a model on the examples of each client, in their order. @throws CoppiceError where a thread cannot. */
  async measure(command: MeasureCommand): Promise<ClientMeasure[]> {
    const measured = this.#workers.map(
      (worker) =>
        new Promise<readonly ClientMeasure[]>((resolve, reject) => {
          const heard = (event: ClientsEvent) => {
            if (event.kind !== 'measured' && event.kind !== 'failed') return;
            worker.off('message', heard);
            if (event.kind === 'measured') resolve(event.measures);
            else reject(this.#told(event, 0));
          };
          worker.on('message', heard);
          worker.postMessage(command);
        }),
    );
    return (await Promise.all(measured)).flat().sort((a, b) => a.client - b.client);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** The failure of a client, for the person at the terminal in place of a page's visitor. */
  #told({ code, message }: { code: string; message: string }, clients: number): CoppiceError {
    const { url = '', seed = 0 } = this.#data ?? {};
    const known = isErrorCode(code) ? code : 'internal';
    if (code === 'too-many-connections')
      return new CoppiceError(
        known,
        `The coordinator at ${url} takes no more connections, in all or from this address: ${this.#joined} of ${clients} clients have joined. Start it with a larger --connections-per-address (and --connections), or use fewer --clients.`,
      );
    if (code === 'session-replaced')
      return new CoppiceError(
        known,
        `Another simulation with --seed ${seed} has connected to ${url}: its clients are the same participants as these. Give one of the two another --seed.`,
      );
    return new CoppiceError(known, message);
  }
}
