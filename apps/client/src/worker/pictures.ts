import { readPicture } from '@coppice/datasets/recipe';
import type { ImageData as ImageSchema } from '@coppice/protocol';
import type { PictureSource } from './api.ts';

/** Reads a picture that was sent to this worker, as `readPicture` does, and frees its memory. */
export async function readSent(source: PictureSource, schema: ImageSchema): Promise<Uint8Array> {
  try {
    return await readPicture(source, schema);
  } finally {
    if (source instanceof ImageBitmap) source.close();
  }
}
