import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TricklingProxy {
  readonly url: string;
  /** From now on what participants send passes one byte at a time; what they are sent passes as it comes. */
  trickle(): void;
  close(): Promise<void>;
}

/** How long one byte takes; milliseconds. */
const A_BYTE = 5;

/** Stands between participants and a coordinator, like the slowest line there is. */
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
