import { Worker } from 'node:worker_threads';
import { CoppiceError } from '@coppice/protocol';
import type { Played } from './figures.ts';
import type { PlayedPeriod } from './play.ts';
import type { Part, PartEvent } from './play-thread.ts';
import type { Scenario } from './scenario.ts';
import { type SchemeName, schemeNames } from './schemes/index.ts';

/**
 * Plays a scenario in all ways at once, each in a thread with a coordinator and devices of its own.
 *
 * @param told is called after each period.
 * @throws CoppiceError the first failure; `run-ended` where `signal` is aborted.
 */
export async function playAll(
  { name }: Scenario,
  seed: number,
  told: (scheme: SchemeName, period: PlayedPeriod) => void,
  signal: AbortSignal,
): Promise<Played> {
  const workers: Worker[] = [];
  const part = <T>(scheme: Part['scheme'], take: (event: PartEvent) => void, result: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./play-thread.ts', import.meta.url));
      workers.push(worker);
      worker.on('error', reject);
      worker.on('exit', () => reject(interrupted()));
      worker.on('message', (event: PartEvent) => {
        take(event);
        if (event.kind === 'done') resolve(result());
        if (event.kind === 'failed') {
          const { code, message } = event.error;
          reject(
            new CoppiceError(code, message, {
              cause: Object.assign(new Error(message), { stack: event.stack }),
            }),
          );
        }
      });
      worker.postMessage({ name, seed, scheme } satisfies Part);
    });
  const periods = (scheme: SchemeName) => {
    const played: PlayedPeriod[] = [];
    return part(
      scheme,
      (event) => {
        if (event.kind !== 'period') return;
        played.push(event.period);
        told(scheme, event.period);
      },
      () => played,
    );
  };
  let accuracy = 0;
  const stop = () => void Promise.all(workers.map((worker) => worker.terminate()));
  signal.addEventListener('abort', stop);
  try {
    const [loop, never, fixed, newDataOnly] = await Promise.all([
      ...(schemeNames.map(periods) as [
        Promise<PlayedPeriod[]>,
        Promise<PlayedPeriod[]>,
        Promise<PlayedPeriod[]>,
      ]),
      part(
        'newDataOnly',
        (event) => {
          if (event.kind === 'accuracy') accuracy = event.accuracy;
        },
        () => accuracy,
      ),
    ]);
    return { loop, never, fixed, newDataOnly };
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function interrupted(): CoppiceError {
  return new CoppiceError('run-ended', 'The scenario was interrupted.');
}
