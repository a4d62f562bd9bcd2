/** The parts of a canary's participants: those with the canary, an equal group beside them, and all others. */
export type Arm = 'canary' | 'control' | 'none';

/**
 * The arm that a draw gives. The first `share` of the draws has the canary, the next `share` is the control group.
 *
 * @param draw at least 8 bytes, uniformly distributed: HMAC-SHA-256 of the participant under the canary's secret. Another
 *   secret draws afresh.
 * @param share in (0, 0.5].
 */
export function armOfDraw(draw: Uint8Array, share: number): Arm {
  const view = new DataView(draw.buffer, draw.byteOffset, draw.byteLength);
  // 53 bits, as a float64 has them.
  const uniform = (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53;
  return uniform < share ? 'canary' : uniform < 2 * share ? 'control' : 'none';
}
