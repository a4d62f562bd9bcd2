import { CoppiceError } from '@coppice/protocol';

/** Maximum nesting depth of lists and objects. A model takes about ten, and each nested model four more. */
export const MAX_NESTING = 200;

/**
 * Refuses a model description that nests too deep for its recursive readers: copying between threads, JSON and tfjs.
 * Reads no deeper than the limit, without recursion.
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
