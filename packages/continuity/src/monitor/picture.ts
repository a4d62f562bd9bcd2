/** Pixels whose squares add up to less than 2³¹, so that engines add them as whole numbers of 32 bits. A multiple of 4. */
const BLOCK = 32_768;

/**
 * Brightness and contrast of a picture, its two columns where pictures are watched: mean and standard deviation over all
 * pixels and channels, both as shares of the largest value of a pixel.
 *
 * @param pixels bytes, 0 … 255; at least one.
 */
export function pictureColumns(
  pixels: Uint8Array | Uint8ClampedArray,
): [brightness: number, contrast: number] {
  const { length } = pixels;
  let [sum, squares] = [0, 0];
  for (let from = 0; from < length; from += BLOCK) {
    const to = Math.min(length, from + BLOCK);
    let [blockSum, blockSquares] = [0, 0];
    let at = from;
    // Four a step: half of the time of one a step.
    for (; at < to - 3; at += 4) {
      const [a, b, c, d] = [pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]] as Four;
      blockSum = (blockSum + a + b + c + d) | 0;
      blockSquares =
        (blockSquares + Math.imul(a, a) + Math.imul(b, b) + Math.imul(c, c) + Math.imul(d, d)) | 0;
    }
    for (; at < to; at++) {
      const pixel = pixels[at] as number;
      blockSum += pixel;
      blockSquares += pixel * pixel;
    }
    sum += blockSum;
    squares += blockSquares;
  }
  const mean = sum / length;
  return [mean / 255, Math.sqrt(Math.max(0, squares / length - mean * mean)) / 255];
}

type Four = [number, number, number, number];
