import { expect, it } from 'vitest';
import { letGo } from './let-go.ts';

it('gives a frame’s own memory back, and leaves alone what others share', () => {
  const own = new Uint8Array(10);
  letGo(own);
  expect(own.buffer.byteLength).toBe(0);
  const shared = new Uint8Array(new ArrayBuffer(20), 0, 10);
  letGo(shared);
  expect(shared.byteLength).toBe(10);
  // Every empty message is one and the same object: the second that comes is no mistake.
  const empty = new Uint8Array(0);
  letGo(empty);
  letGo(empty);
  expect(empty.byteLength).toBe(0);
});
