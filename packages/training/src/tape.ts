import * as tf from './tf.ts';

/**
 * Gives back what tfjs kept for a backward pass that failed. It does so itself only after one that went
 * well; until its next gradient the tape of the last one is still there.
 */
export function dropTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return;
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
  state.activeTape = null as never;
}
