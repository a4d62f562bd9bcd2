import { unzipSync } from 'fflate';
import { orUnreadable, unreadable } from './unreadable.ts';

/** The most files in an archive. */
const MOST_FILES = 10_000;

/**
 * Unpacks an archive. Its sizes are added up before anything is unpacked, and a file never becomes larger than it states.
 *
 * @param most bytes of all files together.
 * @throws CoppiceError `model-invalid` where it is damaged, encrypted, or states more than `most`.
 */
export function unzip(bytes: Uint8Array, most: number): Map<string, Uint8Array> {
  let files = 0;
  let size = 0;
  const count = ({ originalSize }: { originalSize: number }): boolean => {
    files++;
    size += originalSize;
    if (files > MOST_FILES) throw unreadable(`the archive has more than ${MOST_FILES} files`);
    if (!(size <= most)) {
      throw unreadable(
        `unpacked, the archive is larger than ${Math.floor(most / 2 ** 20)} MiB, the most that is read`,
      );
    }
    return false;
  };
  const why = 'the zip archive is damaged or cut short';
  orUnreadable(() => unzipSync(bytes, { filter: count }), why);
  return orUnreadable(() => new Map(Object.entries(unzipSync(bytes))), why);
}
