import { CoppiceError } from '@coppice/protocol';

/** A refusal of a model; `why` goes on from "it ". */
export function invalid(why: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'model-invalid',
    `This model can't be trained here: ${why}.`,
    cause === undefined ? undefined : { cause },
  );
}
