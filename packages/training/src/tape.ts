import * as tf from './tf.ts';

/**
 * Disposes of the tape of a failed backward pass. tfjs does so itself only after a successful one, and keeps the last
 * tape until its next gradient.
 */
export function dropTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return;
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
  state.activeTape = null as never;
}
