import { EventEmitter } from 'node:events';
import { ANSWER_TIMEOUT } from '@coppice/protocol';
import type { Socket } from 'socket.io';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Intake } from './intake.ts';
import { pace } from './pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As much of Engine.IO's connection as is used. */
function connection() {
  const net = Object.assign(new EventEmitter(), { readableLength: 0 });
  const alive = vi.fn();
  const it = Object.assign(new EventEmitter(), {
    transport: { name: 'websocket', socket: { pause() {}, resume() {}, _socket: net } },
    pingTimeoutTimer: { refresh: alive },
  });
  const intake = new Intake();
  pace(it as unknown as Socket['conn'], intake);
  const bytes = () => net.emit('data', Buffer.alloc(100));
  return { it, alive, bytes, intake };
}

it('takes bytes of a message for a sign of life, for as long as an answer may take', () => {
  const { it: conn, alive, bytes } = connection();
  bytes();
  vi.advanceTimersByTime(ANSWER_TIMEOUT - 1);
  bytes();
  expect(alive).toHaveBeenCalledTimes(2);
  // Who trickles on is on its own.
  vi.advanceTimersByTime(1);
  for (let i = 0; i < 10; i++) bytes();
  expect(alive).toHaveBeenCalledTimes(2);
  // The next message is another.
  conn.emit('packet', {});
  bytes();
  expect(alive).toHaveBeenCalledTimes(3);
});

it('has done with a connection that is closed, whatever still comes', () => {
  const { it: conn, alive, bytes, intake } = connection();
  bytes();
  expect(intake.size).toBe(1);
  conn.emit('close');
  bytes();
  conn.emit('packet', {});
  expect(intake.size).toBe(0);
  expect(alive).toHaveBeenCalledTimes(1);
});
