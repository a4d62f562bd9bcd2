import { CoppiceError } from '@coppice/protocol';
import { signal } from '@preact/signals';

/** What last went wrong with something that was asked for here; `null` once something else is tried. */
export const problem = signal<CoppiceError | null>(null);

/** Does something for the reader; a failure is shown rather than thrown. */
export async function act<T>(work: () => Promise<T>): Promise<T | undefined> {
  problem.value = null;
  try {
    return await work();
  } catch (thrown) {
    problem.value = CoppiceError.from(thrown);
    return undefined;
  }
}
