import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './schema.ts';

/** Name of the counter of all runs. */
export const RUNS = 'runs';

/** Name of the counter of a task's runs. No task id contains a slash. */
export function runsOf(task: string): string {
  return `runs/${task}`;
}

/** Name of the counter of a task's releases. */
export function releasesOf(task: string): string {
  return `releases/${task}`;
}

/** Name of the counter of a task's firings. */
export function firingsOf(task: string): string {
  return `firings/${task}`;
}

/**
 * Takes the next number of a counter, from 1. Each number is given out once: transactions wait for each other at the
 * counter's row, and later deletions leave the counter unchanged.
 */
export async function nextNumber(db: Kysely<Tables> | Transaction<Tables>, name: string): Promise<number> {
  const { value } = await db
    .insertInto('counter')
    .values({ name, value: 1 })
    .onConflict((c) => c.column('name').doUpdateSet((e) => ({ value: e('counter.value', '+', 1) })))
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}
