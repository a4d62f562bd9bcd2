import type { Ask, Decline } from '@coppice/protocol';
import type { Line } from './line.ts';

/** Says that no answer to a question will come. A lost message is no matter: the question closes by itself. */
export async function decline(
  line: Line,
  { run, ticket }: Pick<Ask, 'run' | 'ticket'>,
  reason: Decline['reason'],
): Promise<void> {
  await line.request('decline', { run, ticket, reason }).catch(() => {});
}
