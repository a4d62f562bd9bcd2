import { CoppiceError } from '@coppice/protocol';

/** The refusal of a file that holds a model; `why` is a sentence without its full stop. */
export function unreadable(why: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'model-invalid',
    `This file can't be read: ${why}.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Runs a reader of files that others wrote: what it throws of its own is a damaged file. */
export function orUnreadable<T>(read: () => T, why: string): T {
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof CoppiceError ? thrown : unreadable(why, thrown);
  }
}
