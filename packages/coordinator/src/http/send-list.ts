import { once } from 'node:events';
import type { Response } from 'express';
import { nextTurn } from '../turns.ts';

/**
 * Answers with a list as JSON, one member a turn of the event loop and no faster than it is read: neither the list nor its text is
 * in memory as a whole.
 *
 * @throws whatever `members` throws. Before the first one, nothing is sent; after it, the answer has to be broken off.
 */
export async function sendList<T>(
  response: Response,
  members: AsyncIterable<T>,
  told: (member: T) => unknown,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let before = '[';
  for await (const member of members) {
    if (!response.headersSent) response.type('json');
    if (!response.write(before + JSON.stringify(told(member))))
      try {
        await once(response, 'drain', { signal: gone.signal });
      } catch {
        // The reader went away.
        return;
      }
    if (gone.signal.aborted) return;
    before = ',';
    await nextTurn();
  }
  if (response.headersSent) response.end(']');
  else response.json([]);
}
