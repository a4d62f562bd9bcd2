import { loadPart, storePart } from './partial';

/* Pooling of one picture [h, w, c] to [outH, outW, c]; windows as in `im2col`, and what lies outside does not count. */

/** output ← the largest of each window; where ← its place y · w + x as an int32, the first of several. */
export function maxPool(
  h: i32,
  w: i32,
  c: i32,
  poolH: i32,
  poolW: i32,
  strideH: i32,
  strideW: i32,
  top: i32,
  left: i32,
  outH: i32,
  outW: i32,
  picture: usize,
  output: usize,
  where: usize,
): void {
  for (let oy = 0; oy < outH; oy++) {
    const y0 = max(0, oy * strideH - top);
    const y1 = min(h, oy * strideH - top + poolH);
    for (let ox = 0; ox < outW; ox++) {
      const x0 = max(0, ox * strideW - left);
      const x1 = min(w, ox * strideW - left + poolW);
      for (let channel = 0; channel < c; channel += 4) {
        const some: usize = min(4, c - channel);
        const from = picture + (channel << 2);
        let best = loadPart(from + (((y0 * w + x0) * c) << 2), some);
        let place = i32x4.splat(y0 * w + x0);
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) {
            const value = loadPart(from + (((y * w + x) * c) << 2), some);
            const larger = f32x4.gt(value, best);
            best = v128.bitselect(value, best, larger);
            place = v128.bitselect(i32x4.splat(y * w + x), place, larger);
          }
        }
        storePart(output, best, some);
        storePart(where, place, some);
        output += some << 2;
        where += some << 2;
      }
    }
  }
}

/** dx [h, w, c] ← dy, each number where the largest of its window was, added up; 0 elsewhere. */
export function maxPoolGradient(n: i32, c: i32, outputs: i32, dy: usize, where: usize, dx: usize): void {
  memory.fill(dx, 0, n << 2);
  for (let i = 0; i < outputs; i++) {
    for (let channel = 0; channel < c; channel++) {
      const to = dx + ((load<i32>(where) * c + channel) << 2);
      store<f32>(to, load<f32>(to) + load<f32>(dy));
      where += 4;
      dy += 4;
    }
  }
}

/** output ← the mean of each window, windows inside of the picture only. */
export function averagePool(
  w: i32,
  c: i32,
  poolH: i32,
  poolW: i32,
  strideH: i32,
  strideW: i32,
  outH: i32,
  outW: i32,
  picture: usize,
  output: usize,
): void {
  const share = f32x4.splat(<f32>(1.0 / <f64>(poolH * poolW)));
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      for (let channel = 0; channel < c; channel += 4) {
        const some: usize = min(4, c - channel);
        let sum = f32x4.splat(0);
        for (let y = oy * strideH; y < oy * strideH + poolH; y++) {
          let from = picture + (((y * w + ox * strideW) * c + channel) << 2);
          for (let x = 0; x < poolW; x++) {
            sum = f32x4.add(sum, loadPart(from, some));
            from += c << 2;
          }
        }
        storePart(output, f32x4.mul(sum, share), some);
        output += some << 2;
      }
    }
  }
}

/** dx [h, w, c] ← dy, each number spread over its window, added up; 0 where no window was. */
export function averagePoolGradient(
  h: i32,
  w: i32,
  c: i32,
  poolH: i32,
  poolW: i32,
  strideH: i32,
  strideW: i32,
  outH: i32,
  outW: i32,
  dy: usize,
  dx: usize,
): void {
  memory.fill(dx, 0, (h * w * c) << 2);
  const share = f32x4.splat(<f32>(1.0 / <f64>(poolH * poolW)));
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      for (let channel = 0; channel < c; channel += 4) {
        const some: usize = min(4, c - channel);
        const d = f32x4.mul(loadPart(dy, some), share);
        for (let y = oy * strideH; y < oy * strideH + poolH; y++) {
          let to = dx + (((y * w + ox * strideW) * c + channel) << 2);
          for (let x = 0; x < poolW; x++) {
            storePart(to, f32x4.add(loadPart(to, some), d), some);
            to += c << 2;
          }
        }
        dy += some << 2;
      }
    }
  }
}
