import { CoppiceError, type WireError } from '@coppice/protocol';
import { signal } from '@preact/signals';

/** What went wrong with the last thing the person asked for, until it is put away. */
export const problem = signal<WireError | null>(null);

/** Does what the person asked for; a failure becomes a card on the page, never silence. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  problem.value = null;
  try {
    return await work();
  } catch (thrown) {
    problem.value = CoppiceError.from(thrown).toWire();
    return undefined;
  }
}
