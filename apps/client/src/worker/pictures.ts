import { type Picture, prepareImage } from '@coppice/datasets';
import type { ImageData as ImageSchema } from '@coppice/protocol';
import type { PictureSource } from './api.ts';

/** The largest side at which pictures are read, in pixels: far above any schema, far below a camera's. */
const LONGEST_SIDE = 512;

/**
 * Reads a picture as the task's pixels, 0–255.
 *
 * @throws the browser's error for a file that is no readable picture.
 */
export async function readPicture(source: PictureSource, schema: ImageSchema): Promise<Uint8Array> {
  const bitmap = source instanceof ImageBitmap ? source : await createImageBitmap(source);
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
  if (context === null) throw new Error('this browser gives no 2D canvas to a worker');
  // Transparent pictures are drawn on white, as they would be seen.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}
