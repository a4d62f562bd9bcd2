import { CoppiceError } from '@coppice/protocol';

/** A refusal of weights; `why` goes on from "These weights can't be used: ". */
export function weightsInvalid(why: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'weights-invalid',
    `These weights can't be used: ${why}.`,
    cause === undefined ? undefined : { cause },
  );
}

/** A name from a file, quoted and shortened for a message. */
export function quoted(name: string): string {
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return JSON.stringify(shown.toWellFormed());
}
