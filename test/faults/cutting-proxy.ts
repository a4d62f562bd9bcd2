import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { integerBelow, seededRandom } from '@coppice/ports';

export interface CuttingProxy {
  readonly url: string;
  /** Connections cut so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/**
 * A proxy between participants and a coordinator that sees only bytes: after a seeded number of them, in both
 * directions together, it resets a connection, at any point of a message.
 */
export async function cuttingProxy(
  port: number,
  seed: string | number,
  { least, most }: { least: number; most: number },
): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let cuts = 0;
  let connections = 0;
  const server = createServer((below) => {
    const above = connect(port, '127.0.0.1');
    let left = least + integerBelow(seededRandom('cutting', seed, connections++), most - least);
    const end = () => {
      for (const socket of [below, above]) {
        open.delete(socket);
        socket.resetAndDestroy();
      }
    };
    const pass = (from: Socket, to: Socket) => {
      open.add(from);
      from.on('data', (bytes) => {
        to.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left > 0) return;
        cuts++;
        from.pause();
        // Bytes from before the cut still arrive, like packets before a lost one.
        to.end(end);
      });
      from.on('error', end);
      from.on('close', end);
    };
    pass(below, above);
    pass(above, below);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
