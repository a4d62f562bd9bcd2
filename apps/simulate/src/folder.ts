import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it, where they are missing. `mkdir` with `recursive` has no end on file systems that
 * take no folders, such as /proc.
 *
 * @throws Error of the system; one that says so where a file has this name.
 */
export function ensureFolder(path: string): void {
  const full = resolve(path);
  try {
    mkdirSync(full);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      if (statSync(full).isDirectory()) return;
      throw new Error(`${full} is a file`, { cause: thrown });
    }
    if (code !== 'ENOENT' || dirname(full) === full) throw thrown;
    ensureFolder(dirname(full));
    mkdirSync(full);
  }
}
