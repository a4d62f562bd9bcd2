import type { Session } from '@coppice/participant';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, headless, startWorld, type World } from './world.ts';

let world: World;
let browser: Browser;
let sessions: Session[] = [];

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  for (const session of sessions) session.close();
  await browser?.close();
  await world?.close();
});

it('a run that the coordinator paused says why, at once and after a reload, and can be resumed', async () => {
  const run = await world.coordinator.runs.create(
    'mnist-2nn',
    // Steps so large that every device's loss is no number any more.
    { rounds: 20, minParticipants: 1, overSelection: 1, learningRate: 100, epochs: 5 },
    true,
  );
  const { page, context, problems } = await person(browser);
  await page.goto(`${world.coordinator.admin}#run=${run.id}`);
  await page.getByTestId('run-status').first().waitFor();
  expect(await page.getByTestId('run-reason').count()).toBe(0);
  sessions = await headless(world.url, run.id, { count: 1, examples: 600 });
  const banner = page.getByTestId('run-reason');
  await banner.waitFor({ timeout: 120_000 });
  expect(await banner.textContent()).toContain('training-diverged');
  expect(world.coordinator.runs.get(run.id).status).toBe('paused');
  expect(await page.getByTestId('run-status').first().textContent()).toMatch(/paused/i);
  // Nothing is offered that could not be done.
  expect(await page.getByTestId('pause').count()).toBe(0);
  await page.reload();
  await banner.waitFor();
  await page.getByTestId('resume').click();
  await page.getByTestId('pause').waitFor();
  expect(await banner.count()).toBe(0);
  expect(problems).toEqual([]);
  await context.close();
});

it.each(['en-US', 'zh-CN'])(
  'a coordinator that comes back with another key is told, and the new key opens it: %s',
  async (locale) => {
    const run = await world.coordinator.runs.create('mnist-2nn', { rounds: 5, minParticipants: 2 }, true);
    const { page, context } = await person(browser, { locale });
    await page.goto(`${world.coordinator.admin}#run=${run.id}`);
    await page.getByTestId('run-status').first().waitFor();
    await world.stop();
    await world.startAgain('quite-another-key');
    const told = page.getByTestId('key-changed');
    await told.waitFor();
    expect(/[\u4e00-\u9fff]/.test((await told.textContent()) ?? '')).toBe(locale === 'zh-CN');
    // Nothing of what it showed is left to look at.
    expect(await page.getByTestId('run-status').count()).toBe(0);
    await page.getByTestId('login-key').fill(ADMIN_KEY);
    await page.getByTestId('login').click();
    await page.getByTestId('login-error').waitFor();
    await page.getByTestId('login-key').fill('quite-another-key');
    await page.getByTestId('login').click();
    await page.getByTestId('run-status').first().waitFor();
    expect(await told.count()).toBe(0);
    // The same key again, and the page comes back without being asked.
    await world.stop();
    await world.startAgain('quite-another-key');
    await world.coordinator.runs.act(run.id, 'stop');
    await page.waitForFunction(() =>
      /stopped|已停止/i.test(document.querySelector('[data-testid="run-status"]')?.textContent ?? ''),
    );
    expect(await page.getByTestId('login-key').count()).toBe(0);
    await context.close();
    await world.stop();
    await world.startAgain();
  },
);
