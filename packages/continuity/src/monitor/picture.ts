/**
 * Brightness and contrast of a picture, its two columns where pictures are watched: mean and standard deviation over all
 * pixels and channels, both as shares of the largest value of a pixel.
 *
 * @param pixels bytes, 0 … 255; at least one.
 */
export function pictureColumns(
  pixels: Uint8Array | Uint8ClampedArray,
): [brightness: number, contrast: number] {
  let [sum, squares] = [0, 0];
  for (const pixel of pixels) {
    sum += pixel;
    squares += pixel * pixel;
  }
  const mean = sum / pixels.length;
  return [mean / 255, Math.sqrt(Math.max(0, squares / pixels.length - mean * mean)) / 255];
}
