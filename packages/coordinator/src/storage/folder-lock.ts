import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CoppiceError } from '@coppice/protocol';
import { storageError } from './storage-error.ts';

/**
 * Locks a data folder for this process until the lock is released. It is the operating system's lock on a file, held
 * through SQLite, so it ends with the process in any case: there is no stale lock to delete.
 *
 * @returns a function that releases the lock.
 * @param folder an existing folder.
 * @throws CoppiceError `storage-locked` where another process, or another part of this one, holds it.
 */
export function lockFolder(folder: string): () => void {
  let lock: DatabaseSync | null = null;
  try {
    const held = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
    lock = held;
    // The write that is never committed: without it, SQLite takes a file that may only be read, and no lock.
    held.exec('pragma journal_mode = delete; begin exclusive; pragma user_version = 1');
    return () => {
      if (held.isOpen) held.close();
    };
  } catch (thrown) {
    if (lock?.isOpen) lock.close();
    const error = storageError(thrown, `The data folder ${folder}`);
    if (error.code !== 'storage-locked') throw error;
    throw new CoppiceError(
      'storage-locked',
      `The data folder ${folder} is in use by another process, most likely a coordinator. Stop that one, or choose another folder with --data-dir.`,
      { cause: thrown },
    );
  }
}
