/** An arc of a circle as an SVG path; angles as shares of a turn, 0 at the top, clockwise. */
export function arc(radius: number, from: number, to: number): string {
  const sweep = Math.min(to - from, 1);
  if (sweep <= 0) return '';
  if (sweep === 1) {
    // An arc that ends where it begins is drawn as nothing, so a full ring is two halves.
    return `${arc(radius, from, from + 0.5)}${arc(radius, from + 0.5, from + 1)}`;
  }
  const [x1, y1] = onCircle(radius, from);
  const [x2, y2] = onCircle(radius, to);
  return `M${x1} ${y1}A${radius} ${radius} 0 ${sweep > 0.5 ? 1 : 0} 1 ${x2} ${y2}`;
}

function onCircle(radius: number, turn: number): readonly [number, number] {
  const angle = turn * 2 * Math.PI;
  return [round(radius * Math.sin(angle)), round(-radius * Math.cos(angle))];
}

function round(value: number): number {
  return Math.round(value * 100) / 100 || 0;
}

export interface Segment {
  readonly from: number;
  readonly to: number;
}

/** The most segments of a ring; thinner ones would be invisible, and the ring is drawn whole. */
export const MOST_SEGMENTS = 60;

/** A ring in `count` equal segments, `gap` (a share of a turn) apart; one segment without gaps where they would be too thin. */
export function segments(count: number, gap: number): readonly Segment[] {
  if (count <= 1 || count > MOST_SEGMENTS) return [{ from: 0, to: 1 }];
  const each = 1 / count;
  return Array.from({ length: count }, (_, i) => ({
    from: i * each + gap / 2,
    to: (i + 1) * each - gap / 2,
  }));
}

/** A share clamped to 0 … 1; 0 where `all` is 0. */
export function share(done: number, all: number): number {
  return all > 0 ? Math.min(1, Math.max(0, done / all)) : 0;
}
