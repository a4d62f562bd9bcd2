import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { headless, startWorld, type World } from './world.ts';

/* A page that takes part in nothing is told of what it shows, and of nothing else. */
let world: World | undefined;
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterEach(() => world?.close());
afterAll(() => browser?.close());

it('a page that was there first shows a run that begins later, its rounds, and its end', async () => {
  world = await startWorld();
  const { page, problems } = await person(browser);
  await page.goto(world.url);
  await page.getByRole('heading', { name: 'Nothing is being trained right now' }).waitFor();
  const { runs } = world.coordinator;
  const first = await runs.create('iris', { rounds: 2, minParticipants: 1, overSelection: 1 }, true);
  const shown = page.locator('.arrival .eyebrow .run-id');
  await shown.getByText(first.id).waitFor();
  const second = await runs.create('iris', { rounds: 7, minParticipants: 9 }, true);
  await page.getByText('Open trainings (2)').waitFor();

  const link = new URL(world.url);
  link.searchParams.set('run', first.id);
  const follower = await person(browser);
  await follower.page.goto(link.href);
  const progress = follower.page.locator('.arrival .facts');
  await progress.getByText('0 of 2 rounds done').waitFor();
  const [client] = await headless(world.url, first.id, { count: 1, examples: 30, task: 'iris' });
  await progress.getByText('all 2 rounds done').waitFor();
  client?.close();

  // The page without a link turns to what is open.
  await shown.getByText(second.id).waitFor();
  expect(problems).toEqual([]);
  expect(follower.problems).toEqual([]);
});
