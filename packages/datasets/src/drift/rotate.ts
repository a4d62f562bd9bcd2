import type { ImageData } from '@coppice/protocol';
import type { RawExamples } from '../examples.ts';

/**
 * Turns pictures about their centre, counter-clockwise as they are looked at. Pixels between others are interpolated
 * bilinearly, and those from beyond the edge are 0.
 *
 * @param examples pictures as bytes, row-major, channels last.
 * @param degrees multiples of 90 move the pixels of square pictures without interpolation.
 */
export function rotatePictures(
  examples: RawExamples,
  { width, height, channels }: Pick<ImageData, 'width' | 'height' | 'channels'>,
  degrees: number,
): RawExamples {
  const { count, features, labels } = examples;
  const size = width * height * channels;
  const turned = new Uint8Array(features.length);
  const sources = sourcesOf(width, height, degrees);
  for (let at = 0; at < count * size; at += size) {
    for (const [pixel, parts] of sources.entries()) {
      for (let channel = 0; channel < channels; channel++) {
        let value = 0;
        for (const [from, share] of parts)
          value += share * (features[at + from * channels + channel] as number);
        turned[at + pixel * channels + channel] = Math.round(value);
      }
    }
  }
  return { count, features: turned, labels };
}

/** For each pixel, those that it is made of, with their shares. */
function sourcesOf(
  width: number,
  height: number,
  degrees: number,
): (readonly [from: number, share: number])[][] {
  const [cos, sin] = turn(degrees);
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  return Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [(pixel % width) - middleX, Math.floor(pixel / width) - middleY];
    // Rows grow downwards: a turn to the left takes its pixels from the right.
    const [fromX, fromY] = [middleX + cos * x - sin * y, middleY + sin * x + cos * y];
    const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
    const [right, below] = [fromX - left, fromY - top];
    const corners = [
      [left, top, (1 - right) * (1 - below)],
      [left + 1, top, right * (1 - below)],
      [left, top + 1, (1 - right) * below],
      [left + 1, top + 1, right * below],
    ] as const;
    return corners
      .filter(([cx, cy, share]) => share > 0 && cx >= 0 && cx < width && cy >= 0 && cy < height)
      .map(([cx, cy, share]) => [cy * width + cx, share] as const);
  });
}

/** Cosine and sine of an angle, exact where both are whole numbers. */
function turn(degrees: number): readonly [cos: number, sin: number] {
  if (degrees % 90 === 0) {
    const quarter = ((((degrees / 90) % 4) + 4) % 4) as 0 | 1 | 2 | 3;
    return (
      [
        [1, 0],
        [0, 1],
        [-1, 0],
        [0, -1],
      ] as const
    )[quarter];
  }
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}
