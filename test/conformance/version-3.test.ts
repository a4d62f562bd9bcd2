import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRefusal, recordedHello } from './version-3-page.ts';

let coordinator: Coordinator;
beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: 'a-key-for-tests', logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(() => coordinator.close());

const engine = (scheme: 'http' | 'ws', query: string) =>
  `${coordinator.url.replace(/^http/, scheme)}/socket.io/?EIO=4&${query}`;

/** @returns all packets between the hello and the answer to a packet that is sent after it. */
async function overWebSocket(): Promise<string[]> {
  const socket = new WebSocket(engine('ws', 'transport=websocket'));
  const arrived: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('error', () => reject(new Error('the connection failed')));
    socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
      if (data.startsWith('0')) {
        socket.send(recordedHello);
        return;
      }
      if (data.startsWith('44/nowhere,')) return resolve();
      arrived.push(data);
      // There is no such namespace; its refusal comes after all that was said before.
      socket.send('40/nowhere,');
    });
  });
  socket.close();
  return arrived;
}

/** @returns all packets of the first answer after the hello. */
async function overPolling(): Promise<string[]> {
  const opened = await (await fetch(engine('http', 'transport=polling'))).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const query = `transport=polling&sid=${sid}`;
  const sent = await fetch(engine('http', query), { method: 'POST', body: recordedHello });
  expect(await sent.text()).toBe('ok');
  return (await (await fetch(engine('http', query))).text()).split('\u001e');
}

it.each([
  ['a WebSocket', overWebSocket],
  ['long polling', overPolling],
])('a page of version 3 is told once, by %s, to reload', async (_, connect) => {
  const packets = await connect();
  expect(packets).toHaveLength(1);
  const [packet = ''] = packets;
  expect(JSON.parse(packet.slice('44/participant,'.length))).toEqual({
    message: 'refused',
    data: {
      code: 'protocol-too-old',
      message:
        'This participant speaks version 3 of the protocol, and this coordinator needs version 4 or newer. Reload the page, or update the program.',
      retry: 'reload',
    },
  });
  expect(readRefusal(packet)).toEqual({
    triesAgain: false,
    text: 'This page is older than the coordinator. They no longer speak the same language, so you are not taking part. Your examples are kept. Reload the page to update it.',
  });
});
