import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { integerBelow, type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

/** Share of messages that suffer each fault. */
export interface Harm {
  readonly drop: number;
  /** The message waits, and everything behind it, as behind a stalled packet. */
  readonly delay: number;
  readonly duplicate: number;
  /** The next message overtakes this one. */
  readonly reorder: number;
  /** The connection is cut instead of the message being passed on. */
  readonly cut: number;
}

/** Messages that are always lost: the first `times` that match. */
export interface Lost {
  readonly direction: 'up' | 'down';
  /** Matches the message as text; a binary one is `<binary>`. */
  readonly pattern: RegExp;
  readonly times: number;
}

export const harmless: Harm = { drop: 0, delay: 0, duplicate: 0, reorder: 0, cut: 0 };

/** Longest delay of a message, and longest wait to be overtaken; milliseconds. */
const LONGEST_DELAY = 60;

export interface LossyProxy {
  readonly url: string;
  /** Faults so far, in both directions together. */
  readonly counts: Record<keyof Harm | 'passed', number>;
  close(): Promise<void>;
}

type Message = [data: RawData, binary: boolean];

/**
 * A proxy between participants and a coordinator that damages whole WebSocket messages, handshake of Engine.IO and
 * heartbeats included, in both directions. A network cannot do this to a live connection, but a broken proxy can. The
 * same seed, connection and direction draw the same faults.
 */
export async function lossyProxy(
  target: string,
  { seed, harm, lost = null }: { seed: string | number; harm: Harm; lost?: Lost | null },
): Promise<LossyProxy> {
  let toLose = lost?.times ?? 0;
  const loses = (direction: Lost['direction'], [data, binary]: Message) => {
    if (lost?.direction !== direction || toLose === 0) return false;
    if (!lost.pattern.test(binary ? '<binary>' : String(data))) return false;
    toLose--;
    counts.drop++;
    return true;
  };
  const counts = { passed: 0, drop: 0, delay: 0, duplicate: 0, reorder: 0, cut: 0 };
  const http = createServer((_request, response) => response.writeHead(502).end());
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  let connections = 0;

  server.on('connection', (below, request) => {
    const { host } = request.headers;
    const above = new WebSocket(`${target.replace(/^http/, 'ws')}${request.url}`, {
      perMessageDeflate: false,
      // A participant's proof is of the address that it called.
      ...(host === undefined ? {} : { headers: { host } }),
    });
    const connection = connections++;
    const ready = new Promise<void>((resolve) => above.once('open', () => resolve()));
    const end = () => {
      below.terminate();
      above.terminate();
    };
    const up = line(seededRandom('lossy', seed, connection, 'up'), harm, counts, {
      send: (data, binary) => void (above.readyState === WebSocket.OPEN && above.send(data, { binary })),
      cut: end,
    });
    const down = line(seededRandom('lossy', seed, connection, 'down'), harm, counts, {
      send: (data, binary) => void (below.readyState === WebSocket.OPEN && below.send(data, { binary })),
      cut: end,
    });
    below.on('message', (data, binary) => {
      if (!loses('up', [data, binary])) void ready.then(() => up.take([data, binary]));
    });
    above.on('message', (data, binary) => {
      if (!loses('down', [data, binary])) down.take([data, binary]);
    });
    below.on('close', () => void up.drained().then(end));
    above.on('close', () => void down.drained().then(end));
    below.on('error', end);
    above.on('error', end);
  });

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    counts,
    async close() {
      for (const client of server.clients) client.terminate();
      http.closeAllConnections();
      await new Promise<void>((resolve) => void http.close(() => resolve()));
    },
  };
}

/** One direction of one connection. */
function line(
  random: RandomSource,
  harm: Harm,
  counts: LossyProxy['counts'],
  { send, cut }: { send: (...message: Message) => void; cut: () => void },
): { take(message: Message): void; drained(): Promise<void> } {
  let queue = Promise.resolve();
  let held: Message | null = null;
  const pause = () =>
    new Promise<void>((resolve) => setTimeout(resolve, 1 + integerBelow(random, LONGEST_DELAY)));
  const release = () => {
    if (held !== null) send(...held);
    held = null;
  };
  const pass = (message: Message) => {
    send(...message);
    release();
  };
  const misfortune = (): keyof LossyProxy['counts'] => {
    let left = uniform(random);
    for (const kind of ['drop', 'delay', 'duplicate', 'reorder', 'cut'] as const) {
      left -= harm[kind];
      if (left < 0) return kind;
    }
    return 'passed';
  };
  return {
    take(message) {
      const kind = misfortune();
      counts[kind]++;
      queue = queue.then(async () => {
        if (kind === 'drop') return;
        if (kind === 'cut') return cut();
        if (kind === 'delay') await pause();
        if (kind === 'reorder') {
          release();
          held = message;
          // A message that nothing overtakes is only delayed.
          void pause().then(() => {
            if (held === message) release();
          });
          return;
        }
        pass(message);
        if (kind === 'duplicate') send(...message);
      });
    },
    drained: () => queue,
  };
}
