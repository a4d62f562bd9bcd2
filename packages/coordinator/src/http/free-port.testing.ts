import { createServer } from 'node:net';

/** Below the ports that systems give out themselves: Linux from 32768, macOS and Windows from 49152. */
const FIRST = 20_000;
const COUNT = 12_000;

/** Processes with neighbouring ids begin apart. */
let next = (process.pid * 37) % COUNT;

/**
 * A free port of the loopback address, for a server whose port must be known before it starts, or that starts again at the same address.
 * Unlike a port from `listen(0)` it stays free until then: no connection gets it as its own end, not even one to the server that is away.
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < COUNT; tried++) {
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`No port from ${FIRST} to ${FIRST + COUNT - 1} is free.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
