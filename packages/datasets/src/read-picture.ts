import type { ImageData as ImageSchema } from '@coppice/protocol';
import { type Picture, prepareImage } from './image.ts';

/** The largest side at which pictures are read, in pixels: far above any schema, far below a camera's. */
const LONGEST_SIDE = 512;

/**
 * Reads a picture as the task's pixels, 0–255. Runs in pages and in workers.
 *
 * @param source It may be changed or closed as soon as this has returned its promise.
 * @throws the browser's error for a file that is no readable picture, and for pixels that this page may not read.
 */
export async function readPicture(source: ImageBitmapSource, schema: ImageSchema): Promise<Uint8Array> {
  if (source instanceof ImageBitmap) return prepareImage(pixelsOf(source), schema);
  const bitmap = await createImageBitmap(source);
  try {
    return prepareImage(pixelsOf(bitmap), schema);
  } finally {
    bitmap.close();
  }
}

function pixelsOf(bitmap: ImageBitmap): Picture {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser gives no 2D canvas here');
  // Transparent pictures are drawn on white, as they would be seen.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}
