import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@coppice/ports';
import type { Json, WatchInfo } from '@coppice/protocol';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import { ConnectionCaps } from '../security/connection-caps.ts';
import { Downloads } from './downloads.ts';
import { watchRouter } from './watch.ts';

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

it('encodes the bins of a task once for all that ask, and anew where they or the state change', async () => {
  let encodings = 0;
  const binning = {
    toJSON: () => {
      encodings++;
      return { version: 1 };
    },
  } as unknown as Json;
  let info: WatchInfo = {
    task: 'iris',
    state: 'reports',
    consent: 'ab'.repeat(32),
    periodMilliseconds: 1000,
    minimum: 10,
    privacy: null,
    release: null,
    reference: { identity: 'cd'.repeat(32), binning },
  };
  const app = express();
  const downloads = new Downloads(new ManualClock(), new ConnectionCaps({ total: 6, perAddress: 4 }));
  app.use(watchRouter({ monitored: { info: async () => info }, downloads }));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tasks/iris/watch`;
  const ask = async (etag = '') => {
    const response = await fetch(url, { headers: { 'if-none-match': etag } });
    const text = await response.text();
    return { status: response.status, etag: response.headers.get('etag') ?? '', text };
  };
  const first = await ask();
  expect(JSON.parse(first.text)).toEqual({
    ...info,
    reference: { identity: 'cd'.repeat(32), binning: { version: 1 } },
  });
  expect(await ask()).toEqual(first);
  expect(await ask(first.etag)).toMatchObject({ status: 304, text: '' });
  expect(encodings).toBe(1);
  info = { ...info, state: 'budget-spent' };
  expect(JSON.parse((await ask(first.etag)).text)).toMatchObject({ state: 'budget-spent' });
  info = { ...info, reference: { identity: 'ef'.repeat(32), binning } };
  expect(JSON.parse((await ask(first.etag)).text)).toMatchObject({
    reference: { identity: 'ef'.repeat(32) },
  });
  expect(encodings).toBe(3);
});
