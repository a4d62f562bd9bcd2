import { CoppiceError } from '@coppice/protocol';
import { signal } from '@preact/signals';

/** Failure of the last action in this view; `null` once another action is tried. */
export const problem = signal<CoppiceError | null>(null);

/** Runs an action of the reader; a failure is shown, not thrown. */
export async function act<T>(work: () => Promise<T>): Promise<T | undefined> {
  problem.value = null;
  try {
    return await work();
  } catch (thrown) {
    problem.value = CoppiceError.from(thrown);
    return undefined;
  }
}
