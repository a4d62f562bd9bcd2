import type { Point } from './smooth.ts';

/** A line without axes, for table cells and lists. It is an illustration: its last value stands beside it as text. */
export function Sparkline({
  points,
  width = 84,
  height = 24,
  bounds = [null, null],
}: {
  points: readonly Point[];
  width?: number;
  height?: number;
  bounds?: readonly [number | null, number | null];
}) {
  const path = sparkPath(points, { width, height, bounds });
  return (
    <svg
      class="sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
    >
      {path !== null && (
        <>
          <path d={path.d} />
          <circle cx={path.end[0]} cy={path.end[1]} r="2.25" />
        </>
      )}
    </svg>
  );
}

const MARGIN = 3;

/** The path of a sparkline and its end point; null where there are no values. */
export function sparkPath(
  points: readonly Point[],
  box: { width: number; height: number; bounds: readonly [number | null, number | null] },
): { d: string; end: readonly [number, number] } | null {
  const known = points.filter((point): point is { x: number; y: number } => point.y !== null);
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined) return null;
  const low = box.bounds[0] ?? Math.min(...known.map(({ y }) => y));
  const high = box.bounds[1] ?? Math.max(...known.map(({ y }) => y));
  const place = ({ x, y }: { x: number; y: number }): readonly [number, number] => [
    round(MARGIN + share(x, first.x, last.x) * (box.width - 2 * MARGIN)),
    round(box.height - MARGIN - share(y, low, high) * (box.height - 2 * MARGIN)),
  ];
  return { d: `M${known.map((point) => place(point).join(' ')).join('L')}`, end: place(last) };
}

function share(value: number, low: number, high: number): number {
  return high === low ? 1 : Math.min(1, Math.max(0, (value - low) / (high - low)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
