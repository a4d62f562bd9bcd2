import { CoppiceError, REST_TIMEOUT } from '@coppice/protocol';
import type { Coordinator } from './coordinator.ts';

/**
 * Ends the process in good order at SIGINT and SIGTERM: no new round begins, the open one is parked with
 * what it has acknowledged, everything is on disk. Exit code 0; 1 where that failed or took too long.
 */
export function stopOnSignals(coordinator: Coordinator): void {
  const stop = () => {
    const tooLong = setTimeout(() => {
      process.stderr.write(
        `The coordinator did not come to rest within ${REST_TIMEOUT / 1000} s and was ended. Nothing that was acknowledged is lost.\n`,
      );
      process.exit(1);
    }, REST_TIMEOUT);
    tooLong.unref();
    coordinator.close().then(
      () => process.exit(0),
      (thrown: unknown) => {
        process.stderr.write(`${CoppiceError.from(thrown).message}\n`);
        process.exit(1);
      },
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
