import { loadPart, storePart } from './partial';

/*
 * Convolutions as matrix products: a picture [h, w, c] is laid out as a row of kernelH · kernelW · c numbers for each place
 * of the kernel. Kernels slide by strides over the picture and `top`, `left` rows and columns of zeros around it.
 */

/** columns [outH · outW, kernelH · kernelW · c] ← the picture. */
export function im2col(
  h: i32,
  w: i32,
  c: i32,
  kernelH: i32,
  kernelW: i32,
  strideH: i32,
  strideW: i32,
  top: i32,
  left: i32,
  outH: i32,
  outW: i32,
  picture: usize,
  columns: usize,
): void {
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      const x0 = ox * strideW - left;
      // Which of the kernel's columns lie on the picture: a stretch, and with it one run of numbers.
      const from = max(0, -x0);
      const to = max(from, min(kernelW, w - x0));
      for (let ky = 0; ky < kernelH; ky++) {
        const y = oy * strideH - top + ky;
        if (y < 0 || y >= h) {
          zero(kernelW * c, columns);
          columns += (kernelW * c) << 2;
          continue;
        }
        zero(from * c, columns);
        columns += (from * c) << 2;
        copy((to - from) * c, picture + (((y * w + x0 + from) * c) << 2), columns);
        columns += ((to - from) * c) << 2;
        zero((kernelW - to) * c, columns);
        columns += ((kernelW - to) * c) << 2;
      }
    }
  }
}

/** picture ← the sums of all numbers of `columns` that came from the same place: the gradient of `im2col`. */
export function col2im(
  h: i32,
  w: i32,
  c: i32,
  kernelH: i32,
  kernelW: i32,
  strideH: i32,
  strideW: i32,
  top: i32,
  left: i32,
  outH: i32,
  outW: i32,
  columns: usize,
  picture: usize,
): void {
  memory.fill(picture, 0, (h * w * c) << 2);
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      const x0 = ox * strideW - left;
      const from = max(0, -x0);
      const to = max(from, min(kernelW, w - x0));
      for (let ky = 0; ky < kernelH; ky++) {
        const y = oy * strideH - top + ky;
        if (y >= 0 && y < h) {
          add((to - from) * c, columns + ((from * c) << 2), picture + (((y * w + x0 + from) * c) << 2));
        }
        columns += (kernelW * c) << 2;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function zero(n: i32, at: usize): void {
  const nothing = f32x4.splat(0);
  for (; n >= 4; n -= 4) {
    v128.store(at, nothing);
    at += 16;
  }
  if (n > 0) storePart(at, nothing, n);
}

// @ts-ignore: decorator
@inline
function copy(n: i32, from: usize, to: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  if (n > 0) storePart(to, loadPart(from, n), n);
}

// @ts-ignore: decorator
@inline
function add(n: i32, from: usize, to: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    from += 16;
    to += 16;
  }
  if (n > 0) storePart(to, f32x4.add(loadPart(to, n), loadPart(from, n)), n);
}
