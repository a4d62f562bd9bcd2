import { type AdminName, adminMessages, CoppiceError, parseMessage, type WireError } from '@coppice/protocol';
import { signal } from '@preact/signals';
import { io, type Socket } from 'socket.io-client';
import { takeEvent, takeParticipants, takeRound, takeRun, takeSnapshot } from '../state/store.ts';

/** `lost`: it was there and is tried again by itself. */
export type Link = 'connecting' | 'live' | 'lost';
export const link = signal<Link>('connecting');
/** A message that did not fit its schema: page and coordinator are of different versions. */
export const misread = signal<WireError | null>(null);

let socket: Socket | null = null;

/**
 * Opens the live link. Every connection begins with a snapshot, so nothing is missed after a break.
 *
 * @param refused called when the coordinator no longer takes this browser's session.
 */
export function goLive(refused: () => void): void {
  socket?.disconnect();
  const opened = io('/admin', { transports: ['websocket'], reconnectionDelayMax: 4000 });
  socket = opened;
  link.value = 'connecting';
  const on = <N extends AdminName>(
    name: N,
    take: (message: ReturnType<typeof parseMessage<(typeof adminMessages)[N]>>) => void,
  ) => {
    opened.on(name as string, (message: unknown) => {
      try {
        take(parseMessage(name, adminMessages[name], message));
        misread.value = null;
      } catch (thrown) {
        misread.value = CoppiceError.from(thrown).toWire();
      }
    });
  };
  on('snapshot', (snapshot) => {
    takeSnapshot(snapshot);
    link.value = 'live';
  });
  on('run', takeRun);
  on('round', takeRound);
  on('participants', takeParticipants);
  on('event', takeEvent);
  opened.on('disconnect', (reason) => {
    if (socket !== opened) return;
    link.value = 'lost';
    // The client library does not come back by itself when it was the server that closed.
    if (reason === 'io server disconnect') opened.connect();
  });
  opened.on('connect_error', (error: Error & { data?: { code?: unknown } }) => {
    if (socket !== opened) return;
    if (error.data?.code === 'unauthorized') refused();
    else link.value = 'lost';
  });
}

export function endLive(): void {
  const closing = socket;
  socket = null;
  closing?.disconnect();
}
