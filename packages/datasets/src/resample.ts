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
  const across = weights(area.x, area.width, source.width, width);
  const down = weights(area.y, area.height, source.height, height);
  const middle = new Float32Array(width * source.height);
  for (let y = 0; y < source.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [from, weight] of across[x] as Taps) {
        sum += weight * (source.values[y * source.width + from] as number);
      }
      middle[y * width + x] = sum;
    }
  }
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [from, weight] of down[y] as Taps) sum += weight * (middle[from * width + x] as number);
      values[y * width + x] = sum;
    }
  }
  return { width, height, values };
}

type Taps = readonly (readonly [from: number, weight: number])[];

/** For each target pixel, its source pixels and their weights, which add up to 1. */
function weights(start: number, length: number, limit: number, size: number): Taps[] {
  const scale = length / size;
  const reach = Math.max(1, scale);
  return Array.from({ length: size }, (_, target) => {
    const centre = start + (target + 0.5) * scale - 0.5;
    const taps: [number, number][] = [];
    let sum = 0;
    for (let at = Math.ceil(centre - reach); at <= Math.floor(centre + reach); at++) {
      const weight = 1 - Math.abs(at - centre) / reach;
      if (weight <= 0) continue;
      // Beyond the edge, the edge goes on.
      taps.push([Math.min(limit - 1, Math.max(0, at)), weight]);
      sum += weight;
    }
    return taps.map(([from, weight]) => [from, weight / sum] as const);
  });
}
