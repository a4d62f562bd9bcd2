import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CoppiceError } from '@coppice/protocol';
import { storageError } from './storage-error.ts';

/**
 * Makes a data folder this process's own until the lock is released. It is the system's lock on a file, held
 * through SQLite, so it ends with the process, however that ends: there is no stale lock to delete.
 *
 * @returns what releases it.
 * @param folder exists.
 * @throws CoppiceError `storage-locked` where another process, or another part of this one, has it.
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
