import { ManualClock } from '@coppice/ports';
import type { Reply } from '@coppice/protocol';
import type { Namespace } from 'socket.io';
import { expect, it } from 'vitest';
import { BURST_SECONDS, limitEvents } from './event-limit.ts';

type Middleware = (event: unknown[], next: () => void) => void;

/** A connection as the limiter sees it: its events pass, or are answered. */
function connection(clock: ManualClock, perSecond: number) {
  let middleware: Middleware = () => {};
  const notices: unknown[] = [];
  let open = true;
  const socket = {
    use: (handle: Middleware) => {
      middleware = handle;
    },
    emit: (_name: string, notice: unknown) => notices.push(notice),
    disconnect: () => {
      open = false;
    },
  };
  const namespace = { on: (_name: string, connected: (one: typeof socket) => void) => connected(socket) };
  limitEvents(namespace as unknown as Namespace, { clock, perSecond, refused: () => {} });
  const send = () => {
    let reply: Reply<never> | 'read' | null = null;
    middleware(['pull', {}, (answer: Reply<never>) => (reply = answer)], () => (reply = 'read'));
    return reply as Reply<never> | 'read' | null;
  };
  return { send, notices, isOpen: () => open };
}

it('refuses what comes too fast with the time after which it would be read', () => {
  const clock = new ManualClock(0);
  const { send, isOpen } = connection(clock, 10);
  for (let n = 0; n < 10 * BURST_SECONDS; n++) expect(send()).toBe('read');
  expect(send()).toMatchObject({
    ok: false,
    error: { code: 'rate-limited', retry: 'later', retryAfter: 200 },
  });
  const third = [send(), send()].at(-1);
  expect(third).toMatchObject({ error: { retryAfter: 400 } });
  // Refused messages fill the bucket, too: one leaks for each of them, and one for the next.
  clock.advance(400);
  expect(send()).toBe('read');
  expect(isOpen()).toBe(true);
});

it('closes a connection that goes on', () => {
  const { send, notices, isOpen } = connection(new ManualClock(0), 10);
  for (let n = 0; n < 2 * 10 * BURST_SECONDS; n++) send();
  expect(isOpen()).toBe(true);
  send();
  expect(isOpen()).toBe(false);
  expect(notices).toEqual([
    expect.objectContaining({ code: 'rate-limited', retryAfter: expect.any(Number) }),
  ]);
});
