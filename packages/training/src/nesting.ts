import { CoppiceError } from '@coppice/protocol';

/** The most lists and objects inside one another. A model takes about ten, and each model inside of it four more. */
export const MAX_NESTING = 200;

/**
 * Refuses a model description that nests too deep for the recursion of all that reads it: copying between threads,
 * JSON and tfjs. Looks no deeper than the limit, and needs no recursion itself.
 *
 * @param model The content of a `model.json`, or a topology alone; any JSON value.
 * @throws CoppiceError `model-invalid`
 */
export function checkNesting(model: unknown): void {
  const open: Iterator<unknown>[] = [[model].values()];
  for (;;) {
    const innermost = open.at(-1);
    if (innermost === undefined) return;
    const { done, value } = innermost.next();
    if (done === true) open.pop();
    else if (typeof value === 'object' && value !== null) {
      if (open.length > MAX_NESTING) throw tooDeep();
      open.push(Object.values(value).values());
    }
  }
}

/** The refusal of a description that nests too deep. */
export function tooDeep(): CoppiceError {
  return new CoppiceError(
    'model-invalid',
    `This model can't be trained here: its description nests more than ${MAX_NESTING} lists and objects in one another. Save the model again, or use fewer models inside models.`,
  );
}
