import { CoppiceError, REST_TIMEOUT } from '@coppice/protocol';
import type { Coordinator } from './coordinator.ts';
import { standardError } from './process/output.ts';
import { Starter } from './process/starter.ts';
import { onStopRequest } from './process/stop-requests.ts';

export interface StopOptions {
  /** Created at the start of the process; left out, created now. */
  readonly starter?: Starter;
  /** Handles SIGHUP where it has another meaning than the end of the terminal. */
  readonly hangUp?: () => void;
}

/**
 * Stops gracefully on request (`onStopRequest`): no new round begins, the open one is parked with every acknowledged
 * update, and everything is on disk. Exit code 0; 1 where that failed or took more than 5 s.
 */
export function stopOnSignals(coordinator: Pick<Coordinator, 'close'>, options: StopOptions = {}): void {
  const stop = () => {
    const tooLong = setTimeout(() => {
      standardError.write(
        `The coordinator did not come to rest within ${REST_TIMEOUT / 1000} s and was ended. Nothing that was acknowledged is lost.\n`,
      );
      process.exit(1);
    }, REST_TIMEOUT);
    tooLong.unref();
    coordinator.close().then(
      () => process.exit(0),
      (thrown: unknown) => {
        standardError.write(`${CoppiceError.from(thrown).message}\n`);
        process.exit(1);
      },
    );
  };
  onStopRequest({ starter: new Starter(), ...options, stop });
}
