import { createServer } from 'node:net';

/** First port of the range, below the systems' ephemeral ports: Linux from 32768, macOS and Windows from 49152. */
const FIRST = 20_000;
const COUNT = 12_000;

/** Processes with adjacent ids start apart. */
let next = (process.pid * 37) % COUNT;

/**
 * Finds a free port of the loopback address, for a server whose port must be known before it starts, or that restarts
 * at the same address. Unlike a port from `listen(0)` it stays free until then: no connection gets it as its own end,
 * not even one to the stopped server.
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
