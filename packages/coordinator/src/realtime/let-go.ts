/**
 * Gives the memory of a received frame back at once. Left to the garbage collector, which sees a few small
 * objects and no hurry, a thousand updates that nobody needs any more stay for seconds. A frame that
 * shares its memory with others is left alone, and so is an empty one, which all empty ones share; one that
 * was let go of is empty.
 */
export function letGo(frame: Uint8Array | ArrayBuffer): void {
  if (frame.byteLength === 0) return;
  const buffer = frame instanceof ArrayBuffer ? frame : frame.buffer;
  if (buffer.byteLength === frame.byteLength && buffer instanceof ArrayBuffer) buffer.transfer?.(0);
}
