import type { ImageData as ImageSchema } from '@coppice/protocol';
import { type Pixels, preparePixels } from './image.ts';

/**
 * Reads a picture as the task's pixels, 0–255. Runs in pages and in workers. Files are decoded at their full size, turned
 * as their EXIF data say, without their colour profile; of an animation the first frame counts.
 *
 * @param source It may be changed or closed as soon as this has returned its promise.
 * @throws the browser's error for a file that is no readable picture, and for pixels that this page may not read.
 */
export async function readPicture(source: ImageBitmapSource, schema: ImageSchema): Promise<Uint8Array> {
  if (source instanceof ImageBitmap) return preparePixels(pixelsOf(source), schema);
  const bitmap = await decodePicture(source);
  try {
    return preparePixels(pixelsOf(bitmap), schema);
  } finally {
    bitmap.close();
  }
}

/** Decodes a picture for `readPicture`: the numbers are those of the file. */
export function decodePicture(source: ImageBitmapSource): Promise<ImageBitmap> {
  return createImageBitmap(source, {
    imageOrientation: 'from-image',
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
}

/** Reads blocks of a bitmap through a canvas of their size: nothing is scaled there. */
function pixelsOf(bitmap: ImageBitmap): Pixels {
  let canvas: OffscreenCanvas | null = null;
  return {
    width: bitmap.width,
    height: bitmap.height,
    read: (x, y, width, height) => {
      if (canvas === null || canvas.width !== width || canvas.height !== height)
        canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (context === null) throw new Error('this browser gives no 2D canvas here');
      context.imageSmoothingEnabled = false;
      context.clearRect(0, 0, width, height);
      context.drawImage(bitmap, x, y, width, height, 0, 0, width, height);
      return context.getImageData(0, 0, width, height).data;
    },
  };
}
