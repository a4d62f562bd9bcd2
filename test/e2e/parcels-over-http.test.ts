import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { type ParcelProxy, parcelProxy } from '../faults/parcel-proxy.ts';
import { addPictures, consentAndStart, waitForAccepted } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { addWideDigits, PARAMETERS } from './wide-digits.ts';
import { startWorld, type World } from './world.ts';

/* A browser fetches a large model over HTTP, goes on where the line broke, and keeps what it has. */
const PAYLOAD = 4 * PARAMETERS;
const CUT = 1_200_000;
let world: World;
let proxy: ParcelProxy;
let browser: Browser;
/** Pages of other people: one may take part, one may not. */
const others: { readonly server: Server; readonly url: string }[] = [];

async function otherPage() {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Elsewhere</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  others.push({ server, url });
  return url;
}

beforeAll(async () => {
  const allowOrigin = await otherPage();
  await otherPage();
  world = await startWorld({ allowOrigin });
  proxy = await parcelProxy(world.url, CUT);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await world?.close();
  for (const { server } of others) server.close();
});

it('fetches a model over HTTP, from the byte where the line broke, and once for all uses', async () => {
  await addWideDigits(world);
  const { runs, storage } = world.coordinator;
  const { id: run } = await runs.create(
    'wide-digits',
    { rounds: 500, minParticipants: 1, overSelection: 1 },
    true,
  );
  const { page, problems } = await person(browser);
  const finished: string[] = [];
  page.on('requestfinished', (request) => finished.push(request.url()));
  await page.goto(`${proxy.url}/`);
  await addPictures(page, 1, await digitFiles(1, 12));
  await consentAndStart(page);
  await page.getByText(/the model is coming, 1\.05 MB of/).waitFor();
  proxy.breakOff();
  await waitForAccepted(page, 2);
  await runs.act(run, 'pause');
  // A round that is open goes on to its end, and its model comes for use.
  await expect.poll(() => runs.get(run).phase, { timeout: 120_000 }).toBe('idle');
  const { checkpoint, round } = runs.get(run);
  const fetched = () => finished.filter((url) => url.includes(checkpoint)).length;
  await expect.poll(fetched, { timeout: 120_000 }).toBe(1);

  const [first, second] = proxy.requests;
  expect(first?.headers).not.toHaveProperty('range');
  expect(second?.path).toBe(first?.path);
  const from = Number(/^bytes=(\d+)-$/.exec(second?.headers['range'] ?? '')?.[1]);
  expect(from).toBeGreaterThan(0);
  expect(from).toBeLessThan(CUT);
  // Each model once, whether a question or the page asked for it.
  const paths = proxy.requests.slice(1).map(({ path }) => path);
  expect(paths).toHaveLength(round + 1);
  expect(new Set(paths).size).toBe(paths.length);
  for (const { headers } of proxy.requests) {
    expect(headers['coppice-participant']).toMatch(/^[0-9a-f]{32}$/);
    expect(headers['coppice-ticket']).toBeDefined();
  }
  for (const { bytesDown, bytesUp } of await storage.rounds(run)) {
    expect(bytesUp).toBeGreaterThan(PAYLOAD);
    expect(bytesDown).toBeGreaterThan(0);
  }
  const rows = runs.engine(run).participants();
  expect(rows.map(({ bytesDown }) => bytesDown > paths.length * PAYLOAD)).toEqual([true]);

  // The browser has the model of an open run in its cache.
  const before = proxy.requests.length;
  await page.reload();
  await expect.poll(fetched, { timeout: 120_000 }).toBe(2);
  expect(proxy.requests).toHaveLength(before);
  await runs.act(run, 'stop');
  // The line that was cut is in the console; nothing else is.
  expect(problems.filter((problem) => !problem.includes('net::ERR_'))).toEqual([]);
});

/** The answer to a page that asks for a range with the headers of a participant; `null`: its browser did not let it ask. */
function rangeOf(page: Page, url: string) {
  return page.evaluate(async (address) => {
    const headers = {
      'Coppice-Participant': '0'.repeat(32),
      'Coppice-Ticket': 't1-1.seal',
      Range: 'bytes=500-',
    };
    try {
      const response = await fetch(address, { headers });
      const { byteLength } = await response.arrayBuffer();
      return { status: response.status, range: response.headers.get('content-range'), byteLength };
    } catch {
      return null;
    }
  }, url);
}

it('lets pages of other origins show tickets where they may take part', async () => {
  const { id: run, checkpoint } = await world.coordinator.runs.create('iris', {}, false);
  const address = `${world.url}/api/runs/${run}/parcels/${checkpoint}`;
  const [partner, stranger] = others.map(({ url }) => url) as [string, string];
  const { page } = await person(browser);
  await page.goto(partner);
  expect(await rangeOf(page, address)).toEqual({ status: 206, range: 'bytes 500-523/524', byteLength: 24 });
  await page.goto(stranger);
  expect(await rangeOf(page, address)).toBeNull();
});
