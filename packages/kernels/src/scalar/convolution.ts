import { floats, type Memory } from './memory.ts';

/**
 * Kernels for one picture [h, w, c] over which a window of kernelH × kernelW slides by strides, with `top` and `left`
 * rows and columns around it that are not there.
 */
export interface ConvolutionKernels {
  /** columns [outH · outW, kernelH · kernelW · c] ← the picture; 0 outside of it. */
  im2col(
    h: number,
    w: number,
    c: number,
    kernelH: number,
    kernelW: number,
    strideH: number,
    strideW: number,
    top: number,
    left: number,
    outH: number,
    outW: number,
    picture: number,
    columns: number,
  ): void;
  /** picture ← the sums of all numbers of `columns` that came from the same place: the gradient of `im2col`. */
  col2im(
    h: number,
    w: number,
    c: number,
    kernelH: number,
    kernelW: number,
    strideH: number,
    strideW: number,
    top: number,
    left: number,
    outH: number,
    outW: number,
    columns: number,
    picture: number,
  ): void;
  /** output [outH, outW, c] ← the largest of each window; where ← its place y · w + x as int32, the first of several. */
  maxPool(
    h: number,
    w: number,
    c: number,
    poolH: number,
    poolW: number,
    strideH: number,
    strideW: number,
    top: number,
    left: number,
    outH: number,
    outW: number,
    picture: number,
    output: number,
    where: number,
  ): void;
  /** dx [n] ← dy [outputs, c], each number where the largest of its window was, added up; 0 elsewhere. */
  maxPoolGradient(n: number, c: number, outputs: number, dy: number, where: number, dx: number): void;
  /** output [outH, outW, c] ← the mean of each window; windows lie inside of the picture. */
  averagePool(
    w: number,
    c: number,
    poolH: number,
    poolW: number,
    strideH: number,
    strideW: number,
    outH: number,
    outW: number,
    picture: number,
    output: number,
  ): void;
  /** dx [h, w, c] ← dy, each number spread over its window, added up. */
  averagePoolGradient(
    h: number,
    w: number,
    c: number,
    poolH: number,
    poolW: number,
    strideH: number,
    strideW: number,
    outH: number,
    outW: number,
    dy: number,
    dx: number,
  ): void;
}

export function scalarConvolution(memory: Memory): ConvolutionKernels {
  return {
    im2col(h, w, c, kernelH, kernelW, strideH, strideW, top, left, outH, outW, picture, columns) {
      const from = floats(memory, picture, h * w * c);
      const to = floats(memory, columns, outH * outW * kernelH * kernelW * c);
      let at = 0;
      for (let oy = 0; oy < outH; oy++) {
        for (let ox = 0; ox < outW; ox++) {
          for (let ky = 0; ky < kernelH; ky++) {
            for (let kx = 0; kx < kernelW; kx++) {
              const [y, x] = [oy * strideH - top + ky, ox * strideW - left + kx];
              const inside = y >= 0 && y < h && x >= 0 && x < w;
              for (let l = 0; l < c; l++) to[at++] = inside ? (from[(y * w + x) * c + l] as number) : 0;
            }
          }
        }
      }
    },
    col2im(h, w, c, kernelH, kernelW, strideH, strideW, top, left, outH, outW, columns, picture) {
      const from = floats(memory, columns, outH * outW * kernelH * kernelW * c);
      const sums = new Float64Array(h * w * c);
      let at = 0;
      for (let oy = 0; oy < outH; oy++) {
        for (let ox = 0; ox < outW; ox++) {
          for (let ky = 0; ky < kernelH; ky++) {
            for (let kx = 0; kx < kernelW; kx++) {
              const [y, x] = [oy * strideH - top + ky, ox * strideW - left + kx];
              const inside = y >= 0 && y < h && x >= 0 && x < w;
              for (let l = 0; l < c; l++, at++) {
                if (inside) add(sums, (y * w + x) * c + l, from[at] as number);
              }
            }
          }
        }
      }
      floats(memory, picture, h * w * c).set(sums);
    },
    maxPool(h, w, c, poolH, poolW, strideH, strideW, top, left, outH, outW, picture, output, where) {
      const from = floats(memory, picture, h * w * c);
      const to = floats(memory, output, outH * outW * c);
      const places = new Int32Array(memory(), where, outH * outW * c);
      for (let at = 0; at < to.length; at++) {
        const l = at % c;
        const [oy, ox] = [Math.floor(at / c / outW), Math.floor(at / c) % outW];
        const [y0, x0] = [Math.max(0, oy * strideH - top), Math.max(0, ox * strideW - left)];
        let place = y0 * w + x0;
        for (let y = y0; y < Math.min(h, oy * strideH - top + poolH); y++) {
          for (let x = x0; x < Math.min(w, ox * strideW - left + poolW); x++) {
            if ((from[(y * w + x) * c + l] as number) > (from[place * c + l] as number)) place = y * w + x;
          }
        }
        to[at] = from[place * c + l] as number;
        places[at] = place;
      }
    },
    maxPoolGradient(n, c, outputs, dy, where, dx) {
      const from = floats(memory, dy, outputs * c);
      const places = new Int32Array(memory(), where, outputs * c);
      const sums = new Float64Array(n);
      for (const [at, place] of places.entries()) add(sums, place * c + (at % c), from[at] as number);
      floats(memory, dx, n).set(sums);
    },
    averagePool(w, c, poolH, poolW, strideH, strideW, outH, outW, picture, output) {
      const h = (outH - 1) * strideH + poolH;
      const from = floats(memory, picture, ((h - 1) * w + (outW - 1) * strideW + poolW) * c);
      const to = floats(memory, output, outH * outW * c);
      for (let at = 0; at < to.length; at++) {
        const [oy, ox] = [Math.floor(at / c / outW), Math.floor(at / c) % outW];
        let sum = 0;
        for (let y = oy * strideH; y < oy * strideH + poolH; y++) {
          for (let x = ox * strideW; x < ox * strideW + poolW; x++)
            sum += from[(y * w + x) * c + (at % c)] as number;
        }
        to[at] = sum / (poolH * poolW);
      }
    },
    averagePoolGradient(h, w, c, poolH, poolW, strideH, strideW, outH, outW, dy, dx) {
      const from = floats(memory, dy, outH * outW * c);
      const sums = new Float64Array(h * w * c);
      for (let at = 0; at < from.length; at++) {
        const [oy, ox] = [Math.floor(at / c / outW), Math.floor(at / c) % outW];
        for (let y = oy * strideH; y < oy * strideH + poolH; y++) {
          for (let x = ox * strideW; x < ox * strideW + poolW; x++) {
            add(sums, (y * w + x) * c + (at % c), (from[at] as number) / (poolH * poolW));
          }
        }
      }
      floats(memory, dx, h * w * c).set(sums);
    },
  };
}

function add(sums: Float64Array, at: number, value: number): void {
  sums[at] = (sums[at] as number) + value;
}
