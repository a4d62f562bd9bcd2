import { CoppiceError } from '@coppice/protocol';

/**
 * Awaits a lazily loaded part of this program.
 *
 * @throws CoppiceError `backend-unavailable` where loading fails: in a page that was opened long ago the file may be
 *   gone.
 */
export function loaded<T>(part: Promise<T>): Promise<T> {
  return part.catch((cause: unknown) => {
    throw new CoppiceError(
      'backend-unavailable',
      'The part of this program that trains could not be loaded: the connection broke, or there is a newer version by now. Load the page anew.',
      { cause },
    );
  });
}
