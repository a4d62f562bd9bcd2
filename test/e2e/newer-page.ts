import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** Mark of the newer page. */
export const NEWER = '<meta name="build" content="newer" />';

/** A proxy to the coordinator whose page can become a newer one, as after an upgrade and a restart. */
export interface NewerPage {
  readonly url: string;
  /** Serves page and service worker of a newer build from here on. */
  release(): void;
  close(): Promise<void>;
}

export async function newerPage(target: string): Promise<NewerPage> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let newer = false;
  const server = createServer((incoming, response) => {
    const headers = { ...incoming.headers, 'accept-encoding': 'identity' };
    const asked = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers },
      async (answer) => {
        const change = newer ? changes[new URL(incoming.url ?? '/', target).pathname] : undefined;
        if (change === undefined) {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
          return;
        }
        const body = change(await text(answer));
        const type = answer.headers['content-type'] ?? 'text/plain';
        response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
      },
    );
    asked.on('error', () => response.destroy());
    incoming.pipe(asked);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (incoming, from: Socket, head) => {
    const to = connect(Number(port), hostname);
    sockets.add(to);
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2)
      lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
    to.write(`${lines.join('\r\n')}\r\n\r\n`);
    to.write(head);
    for (const socket of [from, to]) {
      socket.on('error', () => {
        from.destroy();
        to.destroy();
      });
    }
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    release() {
      newer = true;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const page = (html: string) => html.replace('<head>', `<head>${NEWER}`);
/** Changes of a newer build: the page, and its revision in the service worker's list. */
const changes: Record<string, ((built: string) => string) | undefined> = {
  '/': page,
  '/index.html': page,
  '/sw.js': (script) => script.replace(/(url:"index\.html",revision:")\w+/, '$1newer'),
};
