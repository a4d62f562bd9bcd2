import type { Session } from '@coppice/participant';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { headless, startWorld, type World } from './world.ts';

/*
 * A small model makes twenty rounds a second, and each is told to the admin page: more than it can draw.
 */
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

it('a run whose rounds come faster than a page can draw is followed, and stopped by a press of the button', async () => {
  const { coordinator } = world;
  const run = await coordinator.runs.create('iris', { rounds: 10_000, minParticipants: 3, quorum: 1 }, false);
  const { page, problems } = await person(browser);
  await page.goto(coordinator.admin);
  await page.locator(`a[href*="${run.id}"]`).first().click();
  await page.getByTestId('run-round').first().waitFor();
  sessions = await headless(world.url, run.id, { count: 3, examples: 30, task: 'iris' });
  await coordinator.runs.act(run.id, 'start');
  await page.waitForFunction(() => {
    const shown = document.querySelector('[data-testid="run-round"]')?.textContent ?? '';
    return Number.parseInt(shown, 10) >= 150;
  });
  await page.getByTestId('stop').first().click();
  await page.getByTestId('confirm').click();
  await page.waitForFunction(() =>
    /stopped/i.test(document.querySelector('[data-testid="run-status"]')?.textContent ?? ''),
  );
  // What was told while it drew was not lost.
  const { round, status } = coordinator.runs.get(run.id);
  expect(status).toBe('stopped');
  await page.waitForFunction(
    (last) => document.querySelector('[data-testid="run-round"]')?.textContent?.startsWith(last),
    round.toLocaleString('en'),
  );
  expect(problems).toEqual([]);
});
