import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A failure of a request: the connection breaks before a response, or in the middle of it; the server is too busy, or
 * full; the connection goes silent, from the start or from the middle on.
 */
export type Fault = 'reset' | 'cut' | 'busy' | 'full' | 'silence' | 'stall';

/** A loopback proxy to an HTTP server, with failures on demand. */
export interface UnreliableWay {
  readonly url: string;
  /** Failures of the next requests, one each; the rest pass. */
  readonly faults: Fault[];
  /** Headers of all requests, oldest first. */
  readonly seen: { readonly method: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

export async function unreliableWay(to: string): Promise<UnreliableWay> {
  const faults: Fault[] = [];
  const seen: { method: string; headers: IncomingMessage['headers'] }[] = [];
  const agent = new Agent({ keepAlive: false });
  const handle = (incoming: IncomingMessage, answer: ServerResponse) => {
    const { method = '', url = '', headers } = incoming;
    seen.push({ method, headers });
    const fault = faults.shift();
    if (fault === 'reset') return void incoming.socket.resetAndDestroy();
    if (fault === 'silence') return void incoming.resume();
    if (fault === 'full') {
      incoming.resume();
      const body = '<Error><Code>QuotaExceeded</Code><Message>No room.</Message></Error>';
      return void answer.writeHead(403, { 'content-type': 'application/xml' }).end(body);
    }
    if (fault === 'busy') {
      incoming.resume();
      return void answer.writeHead(503, { 'content-length': '0' }).end();
    }
    const onward = request(new URL(url, to), { method, headers, agent }, (came) => {
      const parts: Buffer[] = [];
      came.on('data', (part: Buffer) => parts.push(part));
      came.on('end', () => {
        const body = Buffer.concat(parts);
        answer.writeHead(came.statusCode ?? 502, came.headers);
        if (fault === undefined) return void answer.end(body);
        answer.write(body.subarray(0, body.length >> 1), () => {
          if (fault === 'cut') incoming.socket.resetAndDestroy();
        });
      });
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  };
  const server: Server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    seen,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
