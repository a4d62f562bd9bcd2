import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { beginRound, deliverAll, expectRight } from './cohort.ts';
import { type TricklingProxy, tricklingProxy } from './trickling-proxy.ts';
import { honest, World } from './world.ts';

vi.mock(
  '../../packages/protocol/src/timeouts.ts',
  async () => (await import('./hurried-timeouts.ts')).hurried,
);

/*
 * Who sends, but never comes to an end. The round does not wait for it, and the coordinator closes the connection:
 * an upload on a socket by "silence" after "answer": what comes is a sign of life for as long as an answer may take, and
 * nobody can answer a heartbeat in the midst of a message; a request's headers by "silence"; a request's body by "answer".
 */
let world: World;
let slow: TricklingProxy;
const sockets: Socket[] = [];

beforeAll(async () => {
  world = await World.begin();
});
beforeEach(async () => {
  slow = await tricklingProxy(world.port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await slow.close();
  await world.leaveAll();
});
afterAll(() => world.end());

describe('an update that comes one byte at a time', () => {
  it('is not waited for beyond the deadline, and its connection is closed', async () => {
    const cohort = await beginRound(world, {}, { badUrl: slow.url });
    slow.trickle();
    const { delta } = honest(cohort.asked, 4);
    void cohort.bad.raw.ask('answer', cohort.asked.answer, cohort.asked.frame(delta));
    await deliverAll(cohort);
    world.clock.advance(60_000);
    await expectRight(world, cohort, { bad: 'late' });
    await cohort.bad.raw.closed;
  });

  it('a hundred times at once costs the others nothing', async () => {
    const cohort = await beginRound(world);
    const many = await Promise.all(
      Array.from({ length: 100 }, (_, n) => world.join(`trickling-${n}`, cohort.run, slow.url)),
    );
    slow.trickle();
    for (const { raw } of many)
      void raw.ask('answer', cohort.asked.answer, cohort.asked.frame(honest(cohort.asked, 4).delta));
    await deliverAll(cohort);
    world.clock.advance(60_000);
    await expectRight(world, cohort, { bad: 'late' });
    await Promise.all(many.map(({ raw }) => raw.closed));
  });
});

describe('a request that comes one byte at a time', () => {
  /** Resolves with what came back when the coordinator closed the connection. */
  const trickled = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(world.port, '127.0.0.1');
      sockets.push(socket);
      let at = 0;
      let answer = '';
      const drip = setInterval(() => socket.write(text.charAt(at++) || 'a'), 20);
      socket.on('data', (bytes) => {
        answer += bytes.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(drip);
        resolve(answer);
      });
    });

  it.each([
    ['headers without end', 'GET /api/info HTTP/1.1\r\nHost: x\r\nX-Long: '],
    ['a body without end', 'POST /api/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{'],
    [
      'an upgrade without end',
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\nX: ',
    ],
  ])('%s: is closed, and the round does not know of it', async (_, text) => {
    const cohort = await beginRound(world);
    const hundred = Promise.all(Array.from({ length: 100 }, () => trickled(text)));
    await deliverAll(cohort);
    world.clock.advance(60_000);
    await expectRight(world, cohort, { bad: 'late' });
    for (const answer of await hundred) expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  });

  it('a connection that says nothing at all is closed', async () => {
    const silent = connect(world.port, '127.0.0.1');
    sockets.push(silent);
    silent.resume();
    await new Promise((resolve) => silent.once('close', resolve));
  });
});
