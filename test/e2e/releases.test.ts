import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, headless, startWorld, type World } from './world.ts';

/* A model that an admin makes production on the admin page, and takes back. */
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

const english = /[A-Za-z]{2,},? [A-Za-z]{2,}/;

/** A finished run of iris with two rounds. */
async function trained(): Promise<string> {
  const plan = { rounds: 2, minParticipants: 2, overSelection: 1, quorum: 1 };
  const { id } = await world.coordinator.runs.create('iris', plan, true);
  const finished = new Promise<void>((resolve) => {
    world.coordinator.runs.subscribe({
      runChanged: (run) => {
        if (run === id && world.coordinator.runs.get(run).status === 'finished') resolve();
      },
      participantsChanged: () => {},
      roundChanged: () => {},
    });
  });
  const sessions = await headless(world.url, id, { count: 2, examples: 30, task: 'iris' });
  await finished;
  for (const session of sessions) session.close();
  return id;
}

/** The round that `/models/iris/<version>/model.json` serves; null for none. */
async function served(version: string): Promise<number | null> {
  const answer = await fetch(`${world.url}/models/iris/${version}/model.json`);
  if (answer.status === 404) return null;
  const { userDefinedMetadata } = (await answer.json()) as {
    userDefinedMetadata: { coppice: { round: number } };
  };
  return userDefinedMetadata.coppice.round;
}

async function makeProduction(page: Page, checkpoint: string, reason: string): Promise<void> {
  await page.getByTestId(`make-production-${checkpoint}`).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  expect(await dialog.textContent()).toContain('/models/iris/production/model.json');
  // A reason is required.
  expect(await dialog.getByTestId('confirm').isDisabled()).toBe(true);
  await dialog.getByTestId('release-reason').fill(reason);
  await dialog.getByTestId('confirm').click();
  await dialog.waitFor({ state: 'hidden' });
}

it('is production from the page, for every page that loads it, and can be undone', async () => {
  const run = await trained();
  const { page, context, problems } = await person(browser);
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
  await page.goto(`${world.url}/admin#run=${run}`);
  const card = page.getByTestId('channel-production');
  await card.waitFor();
  expect(await card.textContent()).toContain('No release yet.');
  expect(await page.getByTestId(`make-production-${run}/0`).count()).toBe(0);
  expect(await served('production')).toBeNull();

  await makeProduction(page, `${run}/1`, 'The first one.');
  await card.getByText(`${run}/1`).waitFor();
  expect(await served('production')).toBe(1);
  // The page alone can do it: there is nothing to go back to yet.
  expect(await page.getByTestId('undo-release').count()).toBe(0);

  await makeProduction(page, `${run}/2`, 'Better on the test data.');
  await card.getByText(`${run}/2`).waitFor();
  expect(await card.textContent()).toContain('Better on the test data.');
  expect(await card.textContent()).toContain('admin key');
  expect(await served('production')).toBe(2);
  const row = page.getByTestId('checkpoints-table').locator('tbody tr').first();
  expect(await row.textContent()).toContain('Production');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

  // A second admin's page hears of what happens on the first.
  const other = await context.newPage();
  await other.goto(`${world.url}/admin#run=${run}`);
  const otherCard = other.getByTestId('channel-production');
  await otherCard.getByText(`${run}/2`).waitFor();

  await page.getByTestId('undo-release').click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.textContent()).toContain(`from ${run}/2 to ${run}/1`);
  await dialog.getByTestId('release-reason').fill('Worse on digits of today.');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await dialog.getByTestId('confirm').click();
  await card.getByText(`${run}/1`).waitFor();
  expect(await served('production')).toBe(1);
  await otherCard.getByText(`${run}/1`).waitFor();
  const history = page.getByTestId('release-history').locator('tbody tr');
  expect(await history.count()).toBe(3);
  expect(await history.first().textContent()).toContain('Undo of no. 2 · Worse on digits of today.');

  // A run can begin from what is in production.
  await other.goto(`${world.url}/admin#launch=iris`);
  await other.getByTestId('run-from').selectOption('production');
  expect(await other.getByTestId('command').textContent()).toContain('--from production');
  await other.getByTestId('create-run').click();
  const origin = other.getByTestId('run-origin');
  await origin.waitFor();
  expect(await origin.textContent()).toBe(`${run}/1`);
  expect(problems).toEqual([]);
  await context.close();
});

it('is refused to an admin whose page does not know the last release, and shown', async () => {
  const [run] = world.coordinator.runs.all().filter(({ round }) => round === 2);
  if (run === undefined) throw new Error('the run before is gone');
  const { page, context } = await person(browser, {
    locale: 'zh-CN',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  });
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
  await page.goto(`${world.url}/admin#run=${run.id}`);
  const section = page.getByTestId('releases');
  await section.waitFor();
  const { releases } = world.coordinator;
  const before = await releases.at('iris', 'production');
  await page.getByTestId('undo-release').waitFor({ state: 'detached' });
  await page.getByTestId(`make-production-${run.id}/2`).click();
  await page.getByTestId('release-reason').fill('再试一次');
  // Another admin is faster, and this page has not heard of it: the dialog still expects what it was opened with.
  await page.route('**/api/tasks/iris/releases', async (route) => {
    if (route.request().method() === 'POST')
      await releases.move('iris', 'production', {
        checkpoint: `${run.id}/2`,
        expected: before?.sequence ?? null,
        reason: '更快',
        by: { by: 'admin', name: '小林' },
      });
    await route.continue();
  });
  await page.getByTestId('confirm').click();
  const alert = page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.textContent()).toContain('该渠道在你读取之后已有变动');
  expect(await alert.textContent()).toContain('小林');
  await section.getByText('更快').first().waitFor();
  expect((await releases.at('iris', 'production'))?.by.name).toBe('小林');
  for (const text of await section.locator('p, th, h2, h3, button').allTextContents())
    expect(text.replaceAll('admin key', '')).not.toMatch(english);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await context.close();
});
