import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CoppiceError, classFinder, exampleSize, type ImageData } from '@coppice/protocol';
import type { RawExamples } from '../examples.ts';
import { prepareImage } from '../image.ts';
import { readPictureFile } from './picture-file.ts';

/** A file that gave no example, and why. */
export interface SkippedFile {
  /** From the folder on. */
  readonly path: string;
  readonly why: string;
}

/**
 * Reads the PNG and JPEG files of a folder as examples of a task of pictures. The innermost folder whose name is a class,
 * as in `classFinder`, gives the label. Files come in the order of their paths; those whose names begin with a dot are
 * left out.
 *
 * @throws CoppiceError `data-invalid` where the folder cannot be read, or no file of it fits.
 */
export async function readPictureFolder(
  path: string,
  data: ImageData,
): Promise<{ readonly examples: RawExamples; readonly skipped: readonly SkippedFile[] }> {
  const find = classFinder(data.classes);
  const size = exampleSize(data);
  const read: { pixels: Uint8Array; label: number }[] = [];
  const skipped: SkippedFile[] = [];
  for (const file of await filesOf(path)) {
    const folders = file.split(sep).slice(0, -1).reverse();
    const label = folders.map(find).find((index) => index !== null);
    if (label === undefined) {
      skipped.push({ path: file, why: 'It lies in no folder with the name of a class.' });
      continue;
    }
    try {
      read.push({
        pixels: prepareImage(await readPictureFile(await readFile(join(path, file))), data),
        label,
      });
    } catch (thrown) {
      skipped.push({ path: file, why: CoppiceError.from(thrown).message });
    }
  }
  if (read.length === 0) {
    const [first] = skipped;
    throw new CoppiceError(
      'data-invalid',
      first === undefined
        ? `${path} has no files. Give a folder with a folder for each class.`
        : `None of the ${skipped.length} files in ${path} can be used. The first, ${first.path}: ${first.why}`,
    );
  }
  const features = new Uint8Array(read.length * size);
  for (const [i, { pixels }] of read.entries()) features.set(pixels, i * size);
  const labels = Float32Array.from(read, ({ label }) => label);
  return { examples: { count: read.length, features, labels }, skipped };
}

/** The files of a folder and of those in it, by their paths from there, in order; none whose name begins with a dot. @throws CoppiceError `data-invalid` */
export async function filesOf(path: string): Promise<string[]> {
  let entries: Awaited<ReturnType<typeof listOf>>;
  try {
    entries = await listOf(path);
  } catch (cause) {
    throw new CoppiceError('data-invalid', `The folder ${path} cannot be read. Check its name.`, { cause });
  }
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(path, sep).length))
    .sort();
}

function listOf(path: string) {
  return readdir(path, { recursive: true, withFileTypes: true });
}
