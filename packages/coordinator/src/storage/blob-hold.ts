import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { REST_TIMEOUT } from '@coppice/protocol';
import { storageError } from './storage-error.ts';

/**
 * Locks a data folder's weights between processes: any number of backups may hold them `shared`, or the coordinator
 * `exclusive` while it deletes some. A lock of the operating system, as in `folder-lock.ts`.
 *
 * @returns a function that releases the lock; `null` where the other side holds it.
 */
export function holdBlobs(folder: string, how: 'shared' | 'exclusive'): (() => void) | null {
  let file: DatabaseSync | null = null;
  try {
    const held = new DatabaseSync(join(folder, 'blobs.db'), { timeout: how === 'shared' ? REST_TIMEOUT : 0 });
    file = held;
    held.exec(
      how === 'shared'
        ? 'pragma journal_mode = delete; begin; select count(*) from sqlite_master'
        : 'pragma journal_mode = delete; begin exclusive',
    );
    return () => {
      if (held.isOpen) held.close();
    };
  } catch (thrown) {
    if (file?.isOpen) file.close();
    const error = storageError(thrown, `The data folder ${folder}`);
    if (error.code === 'storage-locked') return null;
    throw error;
  }
}
