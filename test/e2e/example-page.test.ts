import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { draw } from './client-page.ts';
import { strokes } from './pictures.ts';
import { ADMIN_KEY, startWorld, trained, type World } from './world.ts';

/* The page that a coordinator serves for a model, there and saved on a server of another origin. */

const patient = { timeout: 60_000 };
let world: World;
let browser: Browser;
let elsewhere: Server;
/** Saved pages by their path. */
const saved = new Map<string, string>();
let origin: string;
const runs: Record<string, string> = {};

beforeAll(async () => {
  world = await startWorld();
  for (const [task, examples] of [
    ['mnist-2nn', 600],
    ['iris', 30],
  ] as const)
    runs[task] = await trained(world, task, examples);
  browser = await launchBrowser();
  elsewhere = createServer((request, response) => {
    const page = saved.get(request.url ?? '');
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html' }).end(page);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  await world?.close();
});

async function release(task: string, round: number): Promise<void> {
  const before = await world.coordinator.releases.at(task, 'production');
  const answer = await fetch(`${world.url}/api/tasks/${task}/releases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      channel: 'production',
      checkpoint: `${runs[task]}/${round}`,
      expected: before?.sequence ?? null,
      reason: 'A test.',
    }),
  });
  expect(answer.ok).toBe(true);
}

/** Saves the page as a visitor does, and gives its address on the other server. */
async function save(task: string, version: string): Promise<string> {
  const answer = await fetch(`${world.url}/models/${task}/${version}/example.html`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const path = `/${task}-${version}.html`;
  saved.set(path, await answer.text());
  return `${origin}${path}`;
}

const modelOf = (page: Page) => page.locator('#model').getAttribute('data-checkpoint');

it('answers a drawing and a file on another origin, and goes on with a newer model', async () => {
  const { page, context, problems } = await person(browser);
  const address = await save('mnist-2nn', 'latest');
  await page.clock.install();
  await page.goto(address);
  await expect.poll(() => modelOf(page), patient).toBe(`${runs['mnist-2nn']}/2`);
  await page.locator('#sheet').evaluate((sheet) => sheet.setAttribute('data-testid', 'sheet'));
  await draw(page, 'sheet', strokes[7] as (readonly [number, number])[]);
  await page.mouse.up();
  await expect.poll(() => page.locator('#answer tr').first().textContent(), patient).toMatch(/^7\d/);
  const png = await page
    .locator('#sheet')
    .evaluate((sheet) => (sheet as HTMLCanvasElement).toDataURL('image/png').split(',')[1] as string);
  await page.locator('#clear').click();
  await page
    .locator('#file')
    .setInputFiles({ name: 'seven.png', mimeType: 'image/png', buffer: Buffer.from(png, 'base64') });
  await expect.poll(() => page.locator('#answer caption').textContent(), patient).toBe('seven.png');
  expect(await page.locator('#answer tr').first().textContent()).toMatch(/^7\d/);

  // "latest" is production where there is one.
  await release('mnist-2nn', 1);
  await page.clock.fastForward(70_000);
  await expect.poll(() => modelOf(page), patient).toBe(`${runs['mnist-2nn']}/1`);
  expect(await page.locator('#model').textContent()).toContain('newer model');
  await expect.poll(() => page.locator('#answer caption').textContent(), patient).toBe('seven.png');
  expect(problems).toEqual([]);
  await context.close();
});

it('answers rows by column and of a CSV text as the coordinator serves it, in Chinese and on a narrow screen', async () => {
  const { page, context, problems } = await person(browser, {
    locale: 'zh-CN',
    viewport: { width: 390, height: 800 },
  });
  await page.goto(`${world.url}/models/iris/latest/example.html`);
  await expect.poll(() => modelOf(page), patient).toBe(`${runs['iris']}/2`);
  expect(await page.title()).toBe('鸢尾花');
  const inputs = page.locator('#row input');
  for (const [i, value] of ['6.3', '2.9', '5.6', '1.8'].entries()) await inputs.nth(i).fill(value);
  await page.locator('#row button').click();
  await expect.poll(() => page.locator('#answer tr').count(), patient).toBe(3);
  const typed = await page.locator('#answer td').allTextContents();
  await page
    .locator('#rows')
    .fill('petal width;petal length;"sepal width";sepal length\r\n1.8;5.6;2.9;6.3\r\n0.2;1.4;3.5;5.1');
  await expect
    .poll(() => page.locator('#answer caption').allTextContents(), patient)
    .toEqual(['第 1 行', '第 2 行']);
  expect((await page.locator('#answer td').allTextContents()).slice(0, typed.length)).toEqual(typed);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  expect(problems).toEqual([]);
  await context.close();
});

it('stays with a model that it names by its hash, and is none where nothing is named', async () => {
  const { page, context } = await person(browser);
  const first = (await world.coordinator.runs.get(runs['iris'] as string)).checkpoint as string;
  await page.goto(await save('iris', first));
  await expect.poll(() => modelOf(page), patient).toMatch(new RegExp(`^${runs['iris']}/`));
  expect((await fetch(`${world.url}/models/iris/none/example.html`)).status).toBe(404);
  expect((await fetch(`${world.url}/models/none/latest/example.html`)).status).toBe(404);
  await context.close();
});
