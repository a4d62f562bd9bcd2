import type { Clock } from '@coppice/ports';
import { CoppiceError, type Reply, type WireError } from '@coppice/protocol';
import type { Namespace } from 'socket.io';
import { Bucket } from '../security/bucket.ts';

/** How many seconds' worth of events may come at once. */
export const BURST_SECONDS = 5;

export interface EventLimitOptions {
  readonly clock: Clock;
  /** Events a second that one connection may send for long; 0 sets no limit. */
  readonly perSecond: number;
  /** Hears of every refusal: the event's name as it came. */
  readonly refused: () => void;
}

/**
 * Refuses what a connection sends faster than it may, before it is read; one that goes on as fast all the
 * same is closed. Also for those who have not proved who they are, and for events nobody knows.
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
