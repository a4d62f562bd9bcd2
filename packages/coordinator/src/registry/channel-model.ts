import type { Channel, Checkpoint } from '@coppice/protocol';
import type { Storage } from '../storage/storage.ts';

/**
 * Finds the checkpoint that a channel of a task names.
 *
 * @returns null where the channel was never moved, or was emptied.
 */
export async function channelModel(
  storage: Pick<Storage, 'lastRelease' | 'checkpoint'>,
  task: string,
  channel: Channel,
): Promise<Checkpoint | null> {
  const id = (await storage.lastRelease(task, channel))?.checkpoint ?? null;
  return id === null ? null : storage.checkpoint(id);
}
