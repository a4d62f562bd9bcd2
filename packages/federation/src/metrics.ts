import { type Layout, type Metrics, shapeSize } from '@coppice/protocol';

/** The mean of several participants' metrics, weighted by example count; `null` where there are none. */
export function meanMetrics(all: Iterable<Metrics>): Metrics | null {
  let examples = 0;
  let loss = 0;
  let accuracy = 0;
  let withLoss = 0;
  let withAccuracy = 0;
  // Sorted, so that the float sum does not depend on the order of arrival.
  const sorted = [...all].sort(
    (a, b) =>
      a.examples - b.examples || (a.loss ?? 0) - (b.loss ?? 0) || (a.accuracy ?? 0) - (b.accuracy ?? 0),
  );
  for (const metrics of sorted) {
    examples += metrics.examples;
    if (metrics.loss !== null) {
      loss += metrics.loss * metrics.examples;
      withLoss += metrics.examples;
    }
    if (metrics.accuracy !== null) {
      accuracy += metrics.accuracy * metrics.examples;
      withAccuracy += metrics.examples;
    }
  }
  if (examples === 0) return null;
  return {
    loss: withLoss === 0 ? null : loss / withLoss,
    accuracy: withAccuracy === 0 ? null : Math.min(1, accuracy / withAccuracy),
    examples,
  };
}

/** The L2 norm of a flat vector. */
export function norm(values: Float32Array): number {
  let squares = 0;
  // Many times faster than an iterator, for millions of values after every round.
  for (let i = 0; i < values.length; i++) squares += (values[i] as number) * (values[i] as number);
  return Math.sqrt(squares);
}

/** The L2 norm of a flat vector's trainable tensors, taken together. */
export function trainableNorm(values: Float32Array, layout: Layout): number {
  let squares = 0;
  let at = 0;
  for (const { shape, trainable } of layout) {
    const end = at + shapeSize(shape);
    if (trainable) for (let i = at; i < end; i++) squares += (values[i] as number) ** 2;
    at = end;
  }
  return Math.sqrt(squares);
}
