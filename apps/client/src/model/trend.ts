/** A measured value by the round of its model. */
export interface TrendPoint {
  readonly round: number;
  readonly value: number;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Extent of the axes: rounds from 0, values from `floor` to at least `ceiling`. */
export interface Extent {
  readonly rounds: number;
  readonly low: number;
  readonly high: number;
}

/** Extent of the axes: accuracies span 0 … 1, errors 0 … the largest, rounded up to one digit. */
export function extentOf(series: readonly (readonly TrendPoint[])[], kind: 'accuracy' | 'error'): Extent {
  const points = series.flat();
  const rounds = Math.max(1, ...points.map(({ round }) => round));
  if (kind === 'accuracy') return { rounds, low: 0, high: 1 };
  return { rounds, low: 0, high: roundUp(Math.max(1e-9, ...points.map(({ value }) => value))) };
}

function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Number((Math.ceil(value / unit) * unit).toPrecision(1));
}

export function placePoint(point: TrendPoint, extent: Extent, frame: Frame): readonly [number, number] {
  const x = point.round / extent.rounds;
  const y = (point.value - extent.low) / (extent.high - extent.low);
  const across = frame.width - frame.left - frame.right;
  const up = frame.height - frame.top - frame.bottom;
  return [tenth(frame.left + x * across), tenth(frame.height - frame.bottom - y * up)];
}

export function linePath(points: readonly TrendPoint[], extent: Extent, frame: Frame): string {
  if (points.length === 0) return '';
  return `M${points.map((point) => placePoint(point, extent, frame).join(' ')).join('L')}`;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
