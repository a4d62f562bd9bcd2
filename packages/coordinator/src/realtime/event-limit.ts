import type { Clock } from '@coppice/ports';
import { CoppiceError, type Reply, type WireError } from '@coppice/protocol';
import type { Namespace } from 'socket.io';
import { Bucket } from '../security/bucket.ts';

/** Largest burst of events, in seconds of the allowed rate. */
export const BURST_SECONDS = 5;

export interface EventLimitOptions {
  readonly clock: Clock;
  /** Sustained rate of events of one connection, a second; 0 sets no limit. */
  readonly perSecond: number;
  /** Called for every refusal. */
  readonly refused: () => void;
}

/**
 * Limits the rate of events of each connection (a leaky bucket): excess events are refused unread, and a connection
 * that does not slow down is closed. It also applies to unproved connections and unknown events.
 */
export function limitEvents(namespace: Namespace, { clock, perSecond, refused }: EventLimitOptions): void {
  if (perSecond === 0) return;
  const most = perSecond * BURST_SECONDS;
  namespace.on('connection', (socket) => {
    const bucket = new Bucket(clock, { leakPerSecond: perSecond });
    socket.use((event, next) => {
      const level = bucket.add();
      if (level <= most) return next();
      refused();
      const error = new CoppiceError(
        'rate-limited',
        `This connection sends more than ${perSecond} messages a second. The message was not read; send it again a little later.`,
        { retryAfter: Math.ceil(((level + 1 - most) / perSecond) * 1000) },
      ).toWire();
      if (level > 2 * most) {
        const notice: WireError = {
          ...error,
          message: `The connection is closed: it sent more than ${perSecond} messages a second and did not stop.`,
        };
        socket.emit('notice', notice);
        socket.disconnect(true);
        return;
      }
      const acknowledge: unknown = event.at(-1);
      const reply: Reply<never> = { ok: false, error };
      if (typeof acknowledge === 'function') acknowledge(reply);
    });
  });
}
