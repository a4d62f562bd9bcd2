/**
 * Releases the memory of a received frame at once. The garbage collector, which sees only a few small objects, would
 * keep a thousand unneeded updates for seconds. A frame that shares its memory is left alone, and so is an empty one,
 * since all empty ones share theirs; a released frame is empty.
 */
export function letGo(frame: Uint8Array | ArrayBuffer): void {
  if (frame.byteLength === 0) return;
  const buffer = frame instanceof ArrayBuffer ? frame : frame.buffer;
  if (buffer.byteLength === frame.byteLength && buffer instanceof ArrayBuffer) buffer.transfer?.(0);
}
