import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person, softwareWebgpu } from '../browser/launch.ts';
import { accepted, addPictures, consentAndStart, waitForAccepted } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { startWorld, type World } from './world.ts';

/* What a page trains with: measured on joining, or as the person says. As served, with its content security policy. */
let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

const launch = () =>
  world.coordinator.runs.create('mnist-2nn', { rounds: 500, minParticipants: 1, overSelection: 1 }, true);

async function arrive(page: Page, run: string): Promise<void> {
  await page.goto(`${world.url}/?run=${run}`);
  await addPictures(page, 1, await digitFiles(1, 20));
  await addPictures(page, 4, await digitFiles(4, 20));
}

const backend = (page: Page, names: readonly string[]) =>
  page.waitForFunction(
    (wanted) => {
      const shown = document.querySelector('[data-testid="backend"]')?.getAttribute('data-backend');
      return wanted.includes(shown ?? '');
    },
    [...names],
  );

async function choose(page: Page, choice: string): Promise<void> {
  const select = page.getByTestId('care-backend');
  if (!(await select.isVisible())) await page.getByTestId('care').locator('summary').click();
  await select.selectOption(choice);
}

describe('the page computes', () => {
  it('with what is measured to be the fastest; plain JavaScript is not', async () => {
    const run = await launch();
    const { page, context, problems } = await person(browser);
    const loaded: string[] = [];
    context.on('request', (request) => loaded.push(request.url()));
    await arrive(page, run.id);
    await consentAndStart(page);
    await waitForAccepted(page, 2);
    await backend(page, ['planned', 'webgl', 'wasm']);
    // What the worker loads is among what is seen; what only WebGPU needs is not.
    expect(loaded.filter((url) => /\/wasm-[^/]*\.js$/.test(url))).not.toEqual([]);
    expect(loaded.filter((url) => url.includes('webgpu'))).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
    await world.coordinator.runs.act(run.id, 'stop');
  });

  it('with what the person chooses, also in the midst of a run, and remembers it', async () => {
    const run = await launch();
    const { page, context, problems } = await person(browser);
    await arrive(page, run.id);
    await choose(page, 'planned');
    await consentAndStart(page);
    await waitForAccepted(page, 2);
    await backend(page, ['planned']);
    for (const choice of ['webgl', 'wasm', 'planned']) {
      await choose(page, choice);
      await backend(page, [choice]);
      await waitForAccepted(page, (await accepted(page)) + 1);
    }
    const rounds = await world.coordinator.storage.rounds(run.id);
    expect(rounds.map(({ outcome }) => outcome)).toEqual(rounds.map(() => 'committed'));
    // A change that was asked for is no loss.
    expect(await page.getByTestId('fallback').count()).toBe(0);
    expect(problems).toEqual([]);

    const again = await context.newPage();
    await page.close();
    await again.goto(`${world.url}/?run=${run.id}`);
    expect(await again.getByTestId('care-backend').inputValue()).toBe('planned');
    await context.close();
    await world.coordinator.runs.act(run.id, 'stop');
  });

  it('with WebGPU, where there is one and the person says so', async () => {
    const run = await launch();
    const capable = await launchBrowser(softwareWebgpu);
    const { page, problems } = await person(capable);
    await arrive(page, run.id);
    await choose(page, 'webgpu');
    await consentAndStart(page);
    await waitForAccepted(page, 2);
    await backend(page, ['webgpu']);
    expect(await page.getByTestId('fallback').count()).toBe(0);
    expect(problems).toEqual([]);
    await capable.close();
    await world.coordinator.runs.act(run.id, 'stop');
  });
});
