import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, connect, PartStatus } from '@coppice/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { headless, startWorld, type World } from './world.ts';

/* A page of another origin, in which the library trains with the page's own examples. */

const html = `<!doctype html><title>Page</title><link rel="icon" href="data:,">
<script type="module">import { connect } from '/coppice.js'; globalThis.connect = connect;</script>`;
const built = fileURLToPath(new URL('../../packages/client/dist', import.meta.url));
let elsewhere: Server;
let origin: string;
let world: World;
let browser: Browser;

beforeAll(async () => {
  elsewhere = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://elsewhere').pathname;
    response.setHeader('content-type', extname(path) === '.js' ? 'text/javascript' : 'text/html');
    try {
      response.end(path === '/' ? html : readFileSync(join(built, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  world = await startWorld({ allowOrigin: origin });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await world?.close();
  elsewhere?.close();
});

type PageWindow = typeof globalThis & {
  connect: typeof connect;
  client: Client;
  parts: (PartStatus | null)[];
  sent: string[];
};

it('takes part in a run to the terms that were agreed to, with the examples of the page', async () => {
  const { runs, releases } = world.coordinator;
  const plan = { rounds: 1, minParticipants: 2, overSelection: 1, quorum: 1 };
  const first = await runs.create('iris', plan, true);
  const trained = await headless(world.url, first.id, { count: 2, examples: 40, task: 'iris' });
  await expect.poll(() => runs.get(first.id).status, { timeout: 60_000 }).toBe('finished');
  await releases.move('iris', 'production', {
    checkpoint: `${first.id}/1`,
    expected: null,
    reason: 'The first one.',
    by: { by: 'admin', name: 'the tests' },
  });
  for (const client of trained) client.close();

  const { page, problems } = await person(browser);
  await page.goto(origin);
  const agreed = await page.evaluate(async (url) => {
    const window = globalThis as PageWindow;
    window.client = window.connect({ url, task: 'iris' });
    window.parts = [];
    window.sent = [];
    window.client.on('part', (part) => window.parts.push(part));
    window.client.on('sent', ({ kind }) => window.sent.push(kind));
    for (let i = 0; i < 20; i++) {
      const width = 0.2 + i / 100;
      const row = { 'sepal length': 5, 'sepal width': 3.4, 'petal length': 1.4, 'petal width': width };
      await window.client.add(row, 'setosa');
    }
    const { terms, run, bytesPerRound } = await window.client.terms();
    // A person who moves the mouse, in a browser that does not tell what a byte costs.
    await window.client.takePart({ terms });
    return { run, bytesPerRound };
  }, world.url);
  expect(agreed).toMatchObject({ run: null, bytesPerRound: expect.any(Number) });

  const second = await runs.create('iris', plan, true);
  const last = () => page.evaluate(() => (globalThis as PageWindow).parts.at(-1) ?? null);
  await expect.poll(last, { timeout: 30_000 }).toMatchObject({ state: 'held', run: null });
  expect((await last())?.unknown).toContain('unmetered');

  await page.evaluate(async () => {
    const { client } = globalThis as PageWindow;
    const { terms } = await client.terms();
    await client.takePart({ terms, idle: false, charging: false, unmetered: false });
  });
  await expect.poll(last, { timeout: 30_000 }).toMatchObject({ state: 'joined', run: second.id });
  const [other] = await headless(world.url, second.id, { count: 1, examples: 40, task: 'iris' });
  await expect.poll(() => runs.get(second.id).status, { timeout: 60_000 }).toBe('finished');
  other?.close();
  const sent = await page.evaluate(() => (globalThis as PageWindow).sent);
  expect(sent).toEqual(expect.arrayContaining(['join', 'update']));
  await expect.poll(last, { timeout: 30_000 }).toMatchObject({ state: 'waiting', run: null });
  await page.evaluate(() => (globalThis as PageWindow).client.leave());
  expect(await last()).toBeNull();
  expect(problems).toEqual([]);
});
