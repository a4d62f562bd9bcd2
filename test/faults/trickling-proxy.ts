import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TricklingProxy {
  readonly url: string;
  /** From then on bytes from participants pass one at a time; bytes to them pass at full speed. */
  trickle(): void;
  close(): Promise<void>;
}

/** Milliseconds for one byte. */
const A_BYTE = 5;

/** A proxy between participants and a coordinator, as slow as the slowest connection. */
export async function tricklingProxy(port: number): Promise<TricklingProxy> {
  const open = new Set<Socket>();
  let trickling = false;
  const server = createServer((below) => {
    const above = connect(port, '127.0.0.1');
    let waiting = Buffer.alloc(0);
    const drip = setInterval(() => {
      if (waiting.length === 0) return;
      above.write(waiting.subarray(0, 1));
      waiting = waiting.subarray(1);
    }, A_BYTE);
    below.on('data', (bytes) => {
      if (trickling) waiting = Buffer.concat([waiting, bytes]);
      else above.write(bytes);
    });
    above.on('data', (bytes) => below.write(bytes));
    const end = () => {
      clearInterval(drip);
      for (const socket of [below, above]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [below, above]) {
      open.add(socket);
      socket.on('close', end);
      socket.on('error', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trickle: () => {
      trickling = true;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
