/** One channel of a picture: row-major numbers. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** A part of a picture, in pixels; fractions are allowed. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes an area of a picture, first across, then down. Enlarging is bilinear interpolation; shrinking widens the same
 * triangle so that every source pixel counts (no aliasing).
 */
export function resample(source: Plane, area: Area, width: number, height: number): Plane {
  const resampler = new Resampler(source, area, width, height);
  for (let y = resampler.top; y < resampler.bottom; y++)
    resampler.add(y, source.values.subarray(y * source.width, (y + 1) * source.width), 0);
  return resampler.result();
}

/** Resizes an area of one channel, as `resample`, from rows that come one after the other: holds no more than the result. */
export class Resampler {
  /** The columns and rows of the source that count: from `left` and `top` on, before `right` and `bottom`. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly #width: number;
  readonly #height: number;
  readonly #across: Taps;
  /** By row of the source: rows of the result that it counts in, and its weights there. */
  readonly #down: readonly (readonly [to: number, weight: number])[][];
  readonly #row: Float32Array;
  readonly #sums: Float64Array;

  constructor(
    source: { readonly width: number; readonly height: number },
    area: Area,
    width: number,
    height: number,
  ) {
    this.#width = width;
    this.#height = height;
    this.#across = taps(area.x, area.width, source.width, width);
    const down = taps(area.y, area.height, source.height, height);
    [this.left, this.right] = boundsOf(this.#across);
    [this.top, this.bottom] = boundsOf(down);
    this.#down = Array.from({ length: this.bottom - this.top }, () => []);
    for (let to = 0; to < height; to++) {
      for (let i = down.starts[to] as number; i < (down.starts[to + 1] as number); i++)
        this.#down[(down.from[i] as number) - this.top]?.push([to, down.weights[i] as number]);
    }
    this.#row = new Float32Array(width);
    this.#sums = new Float64Array(width * height);
  }

  /**
   * Counts a row of the source. Every row from `top` to `bottom` is given once, in order.
   *
   * @param values at least those from `left` to `right`.
   * @param first the column of the first of them.
   */
  add(y: number, values: Float32Array, first: number): void {
    const { starts, from, weights } = this.#across;
    const row = this.#row;
    for (let x = 0; x < row.length; x++) {
      let sum = 0;
      const end = starts[x + 1] as number;
      for (let i = starts[x] as number; i < end; i++)
        sum += (weights[i] as number) * (values[(from[i] as number) - first] as number);
      row[x] = sum;
    }
    for (const [to, weight] of this.#down[y - this.top] ?? []) {
      const at = to * this.#width;
      for (let x = 0; x < row.length; x++)
        this.#sums[at + x] = (this.#sums[at + x] as number) + weight * (row[x] as number);
    }
  }

  result(): Plane {
    return { width: this.#width, height: this.#height, values: Float32Array.from(this.#sums) };
  }
}

/** For each pixel of a result, its source pixels and their weights, which add up to 1: those from `starts[x]` on. */
interface Taps {
  readonly starts: Uint32Array;
  readonly from: Uint32Array;
  readonly weights: Float64Array;
}

function taps(start: number, length: number, limit: number, size: number): Taps {
  const scale = length / size;
  const reach = Math.max(1, scale);
  const starts = new Uint32Array(size + 1);
  const from: number[] = [];
  const weights: number[] = [];
  for (let target = 0; target < size; target++) {
    const centre = start + (target + 0.5) * scale - 0.5;
    const first = from.length;
    let sum = 0;
    for (let at = Math.ceil(centre - reach); at <= Math.floor(centre + reach); at++) {
      const weight = 1 - Math.abs(at - centre) / reach;
      if (weight <= 0) continue;
      // Beyond the edge, the edge goes on.
      from.push(Math.min(limit - 1, Math.max(0, at)));
      weights.push(weight);
      sum += weight;
    }
    for (let i = first; i < weights.length; i++) weights[i] = (weights[i] as number) / sum;
    starts[target + 1] = from.length;
  }
  return { starts, from: Uint32Array.from(from), weights: Float64Array.from(weights) };
}

function boundsOf({ from }: Taps): [first: number, end: number] {
  return [from.reduce((a, b) => Math.min(a, b)), from.reduce((a, b) => Math.max(a, b)) + 1];
}
