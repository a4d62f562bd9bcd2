import { CoppiceError } from '@coppice/protocol';

/**
 * A part of this program that is loaded when it is needed.
 *
 * @throws CoppiceError `backend-unavailable` where it cannot be had: in a page that was opened long ago it may be gone.
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
