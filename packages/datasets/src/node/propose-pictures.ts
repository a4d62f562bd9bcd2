import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CoppiceError, type ImageData } from '@coppice/protocol';
import type { Picture } from '../image.ts';
import { readPictureFile } from './picture-file.ts';
import { filesOf } from './picture-folder.ts';

/** Pictures whose sizes and colours are looked at. */
const LOOKED_AT = 20;
/** The longest side that is proposed, in pixels: a small network trains on it in a browser. */
const LONGEST_SIDE = 64;

/**
 * Proposes the schema of a folder of pictures: a class for each folder that has files, in the order of their names; squares
 * of the median of the shorter sides, of 64 pixels at most; one channel where all pictures that are looked at are grey.
 *
 * @throws CoppiceError `data-invalid` where there are fewer than two folders with files, or no picture can be read.
 */
export async function proposePictures(path: string): Promise<ImageData> {
  const files = await filesOf(path);
  const inFolders = files.filter((file) => dirname(file) !== '.');
  const classes = [...new Set(inFolders.map((file) => basename(dirname(file))))].sort();
  if (classes.length < 2) {
    throw new CoppiceError(
      'data-invalid',
      `${path} has ${classes.length} folders with files. Give a folder with a folder for each class, two at least.`,
    );
  }
  const step = Math.max(1, Math.floor(inFolders.length / LOOKED_AT));
  const pictures: Picture[] = [];
  for (const [index, file] of inFolders.entries()) {
    if (index % step !== 0) continue;
    // Files that cannot be read are named once all are read.
    const picture = await readPictureFile(await readFile(join(path, file))).catch(() => null);
    if (picture !== null) pictures.push(picture);
  }
  const sides = pictures.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  const median = sides[Math.floor(sides.length / 2)];
  if (median === undefined)
    throw new CoppiceError(
      'data-invalid',
      `None of the files in ${path} that were looked at can be read as a picture.`,
    );
  const side = Math.min(LONGEST_SIDE, median);
  return { kind: 'image', width: side, height: side, channels: pictures.every(isGrey) ? 1 : 3, classes };
}

function isGrey({ data }: Picture): boolean {
  for (let at = 0; at < data.length; at += 4)
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return false;
  return true;
}
