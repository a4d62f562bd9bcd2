import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A request for a parcel, as it passed. */
export interface ParcelRequest {
  readonly path: string;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ParcelProxy {
  readonly url: string;
  /** Requests for parcels over HTTP, in order. */
  readonly requests: readonly ParcelRequest[];
  /** Resets the connection that stalled. */
  breakOff(): void;
  close(): Promise<void>;
}

/**
 * Stands between participants and a coordinator, and notes requests for parcels over HTTP.
 *
 * @param stallAfter lets so many bytes of the first one's answer pass, and no more; `null`: all pass. A reader that hears of
 *   a broken connection may drop bytes that it has not read yet: {@link ParcelProxy.breakOff} is for when they are read.
 */
export async function parcelProxy(target: string, stallAfter: number | null = null): Promise<ParcelProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const requests: ParcelRequest[] = [];
  let stalled: Socket | null = null;
  const server = createServer((below) => {
    const above = connect(Number(port), hostname);
    let left = Number.POSITIVE_INFINITY;
    const end = () => {
      for (const socket of [below, above]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [below, above]) {
      open.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    below.on('data', (bytes) => {
      const request = parcelRequest(bytes);
      if (request !== null) {
        if (requests.length === 0 && stallAfter !== null) left = stallAfter;
        requests.push(request);
      }
      above.write(bytes);
    });
    above.on('data', (bytes) => {
      const passed = bytes.subarray(0, left);
      left -= passed.byteLength;
      below.write(passed);
      if (left > 0) return;
      above.pause();
      stalled = below;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    breakOff() {
      if (stalled === null) throw new Error('No connection has stalled.');
      stalled.resetAndDestroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** A request without a body comes in one packet, and nothing else with it. */
function parcelRequest(bytes: Buffer): ParcelRequest | null {
  const [first = '', ...lines] = bytes.toString('latin1').split('\r\n');
  const path = /^GET (\/api\/runs\/[^/]+\/parcels\/\S+) HTTP\/1\.1$/.exec(first)?.[1];
  if (path === undefined) return null;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf(':');
    if (at > 0) headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
  }
  return { path, headers };
}
