import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultWatch } from '@coppice/continuity';
import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import type { Session } from '@coppice/participant';
import { ManualClock } from '@coppice/ports';
import type { WatchedPeriod, WatchInfo } from '@coppice/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, headless } from './world.ts';

/* The example page of packages/client, whose predictions are watched by a coordinator of another origin. */

const library = fileURLToPath(new URL('../../packages/client', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
const DAY = 24 * 3600 * 1000;
/** The longest part of a reference. */
const PART = 600_000;
const DEVICES = 5;
/** What is polled does come; how soon depends on what else the machine is doing. */
const patient = { timeout: 60_000 };

const clock = new ManualClock(1_760_000_000_000);
let elsewhere: Server;
let origin: string;
let coordinator: Coordinator;
let browser: Browser;
let sessions: Session[] = [];

beforeAll(async () => {
  elsewhere = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://elsewhere').pathname;
    const file =
      path === '/'
        ? join(library, 'example/index.html')
        : join(library, 'dist', path.replace(/^\/coppice\//, ''));
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    try {
      response.end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: ADMIN_KEY, logLevel: 'error', allowOrigin: origin },
    storage: memoryStorage(),
    spool: memorySpool(),
    clock,
  });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  for (const session of sessions) session.close();
  await coordinator?.close();
});

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${coordinator.url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T;
  expect(response.ok, JSON.stringify(answer)).toBe(true);
  return answer;
}
const watch = () => call<WatchInfo>('GET', '/tasks/iris/watch');
const state = async () => (await watch()).state;
/** The last period that is over. */
const lastPeriod = async () => {
  const [last] = await call<WatchedPeriod[]>('GET', '/tasks/iris/drift');
  return { period: last?.period ?? -1, reports: last?.reports ?? 0 };
};

/** Releases a model, and watches it with a reference of the devices' own flowers. */
async function watched(): Promise<void> {
  const { id } = await coordinator.runs.create('iris', { rounds: 1, minParticipants: DEVICES }, true);
  sessions = await headless(coordinator.url, id, { count: DEVICES, examples: 20, task: 'iris' });
  await expect.poll(() => coordinator.runs.get(id).status, patient).toBe('finished');
  await call('POST', '/tasks/iris/releases', {
    channel: 'production',
    checkpoint: `${id}/1`,
    expected: null,
    reason: 'The first.',
  });
  await call('PUT', '/tasks/iris/policy', {
    expected: null,
    policy: {
      version: 1,
      periodMilliseconds: DAY,
      watch: { ...defaultWatch, fewest: DEVICES },
      privacy: null,
      trigger: null,
      plan: {},
      gate: null,
      canary: null,
    },
  });
  await expect.poll(state, patient).toBe('reference');
  const { consent } = await watch();
  for (const session of sessions) await session.monitor('iris', { consent: consent as string });
  for (const part of [1, 2]) {
    await expect
      .poll(() => sessions.map(({ state }) => state.monitored.iris?.answered), patient)
      .toEqual(sessions.map(() => part));
    clock.advance(PART);
  }
  await expect.poll(state, patient).toBe('reports');
}

/** Opens the example page in a tab. */
async function open(page: Page): Promise<void> {
  await page.goto(`${origin}/?coordinator=${encodeURIComponent(coordinator.url)}`);
  await page.locator('#watch').waitFor();
}

/** Types twelve sepal lengths one after the other; each is a prediction. */
async function predict(page: Page): Promise<void> {
  for (let i = 0; i < 12; i++) await page.locator('[name="sepal length"]').fill(`${4.5 + i / 10}`);
}

/** Tells what the last flower is. Its prediction is counted by then, and so are those before it. */
async function tell(page: Page, species: string): Promise<void> {
  await page.locator('#truth').selectOption(species);
  await expect.poll(() => page.locator('#known').textContent(), patient).toBe('Counted.');
}
const sent = (page: Page, kind: string) => page.locator('#sent li', { hasText: new RegExp(`^${kind}, `) });

it('reports on predictions after the person agreed, from one of several tabs, and on what they were told', async () => {
  await watched();
  const { page, context } = await person(browser);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await open(page);
  await expect.poll(() => page.locator('#facts').textContent(), patient).toContain('sepal length');
  await predict(page);
  clock.advance(DAY);
  expect(await page.locator('#sent li').count()).toBe(0);

  await page.locator('#agree').check();
  await page.locator('#agree[data-state="reports"]').waitFor();
  await sent(page, 'offer').waitFor();
  await predict(page);
  await tell(page, 'virginica');
  clock.advance(DAY);
  await sent(page, 'report').waitFor();

  // A second tab agreed with the first one; its predictions are in the first one's report.
  const second = await context.newPage();
  second.on('pageerror', (error) => errors.push(error.message));
  await open(second);
  await second.locator('#agree[data-state="reports"]').waitFor();
  await predict(second);
  await tell(second, 'setosa');
  clock.advance(DAY);
  await expect.poll(() => sent(page, 'report').count(), patient).toBe(2);
  await sent(second, 'report').waitFor();
  await expect.poll(async () => (await lastPeriod()).reports, patient).toBe(1);

  // The tab with the connection is closed: the other one goes on.
  await page.close();
  await second.locator('#agree[data-state="reports"]').waitFor();
  await sent(second, 'offer').waitFor();
  await predict(second);
  await tell(second, 'versicolor');
  clock.advance(DAY);
  await expect.poll(() => sent(second, 'report').count(), patient).toBe(2);

  await second.locator('#agree').uncheck();
  await predict(second);
  // The period that the last report was for ends, then one without any.
  for (const reports of [1, 0]) {
    const { period } = await lastPeriod();
    clock.advance(DAY);
    await expect.poll(async () => (await lastPeriod()).period, patient).toBeGreaterThan(period);
    expect((await lastPeriod()).reports).toBe(reports);
  }
  expect(errors).toEqual([]);
  await context.close();
});

it('predicts with the model of a run that is not open once it monitors a task that admits it', async () => {
  const checkpoint = (await coordinator.releases.at('iris', 'production'))?.checkpoint ?? '';
  const by = 'a test';
  const [run = ''] = checkpoint.split('/');
  await coordinator.admissions.change(run, 'listed', { keep: [], by });
  const [{ page, context }, stranger] = [await person(browser), await person(browser)];
  for (const one of [page, stranger.page]) {
    await open(one);
    await one.locator('#species[data-state="refused"]').waitFor();
    await one.locator('#agree').check();
    await one.locator('#agree[data-state="reports"]').waitFor();
    // The task is open to all, and the run to neither.
    expect(await one.locator('#species').textContent()).toContain('not open to everyone');
  }
  const offers = () => coordinator.monitored.offers.of('iris');
  await stranger.page.close();
  await expect.poll(() => offers().length, patient).toBe(DEVICES + 1);
  await coordinator.admissions.change('task:iris', 'listed', { keep: offers(), by });

  await open(page);
  await page.locator('#species[data-state="ready"]').waitFor();
  await predict(page);
  await expect.poll(() => page.locator('#species').textContent(), patient).toContain(`(model ${checkpoint})`);
  await tell(page, 'virginica');
  const other = await stranger.context.newPage();
  await open(other);
  await other.locator('#species[data-state="refused"]').waitFor();
  expect(await other.locator('#species').textContent()).not.toContain('model iris');
  for (const one of [context, stranger.context]) await one.close();
});
