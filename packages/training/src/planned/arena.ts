/** A block of memory that is needed from one step of a plan to another, both included. */
export interface Span {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

const ALIGNMENT = 16;

/**
 * Allocates spans so that no two that are live at the same time overlap: the largest first, each at the lowest offset
 * that is free for its lifetime. Near the least possible memory, and deterministic.
 *
 * @returns The offset of each span, and the total size in bytes.
 */
export function place(spans: readonly Span[]): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  const offsets = spans.map(() => 0);
  const placed: { span: Span; from: number; to: number }[] = [];
  let bytes = 0;
  const order = spans
    .map((_, i) => i)
    .sort((a, b) => (spans[b]?.bytes ?? 0) - (spans[a]?.bytes ?? 0) || a - b);
  for (const i of order) {
    const span = spans[i] as Span;
    let from = 0;
    // In the order of their offsets, so that one pass finds the lowest gap.
    for (const other of placed) {
      if (other.span.last < span.first || span.last < other.span.first) continue;
      if (from + span.bytes <= other.from) break;
      from = Math.max(from, other.to);
    }
    const to = from + Math.ceil(span.bytes / ALIGNMENT) * ALIGNMENT;
    offsets[i] = from;
    placed.push({ span, from, to });
    placed.sort((a, b) => a.from - b.from);
    bytes = Math.max(bytes, to);
  }
  return { offsets, bytes };
}
