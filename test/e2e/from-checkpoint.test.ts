import AxeBuilder from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, headless, startWorld, type World } from './world.ts';

/* A run that goes on from the model of another, launched on the admin page. */
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

it('is offered the models that the task has, and says which one it began from', async () => {
  const plan = { rounds: 1, minParticipants: 2, overSelection: 1, quorum: 1 };
  const origin = await world.coordinator.runs.create('iris', plan, true);
  const finished = new Promise<void>((resolve) => {
    world.coordinator.runs.subscribe({
      runChanged: (run) => {
        if (run === origin.id && world.coordinator.runs.get(run).status === 'finished') resolve();
      },
      participantsChanged: () => {},
      roundChanged: () => {},
    });
  });
  const sessions = await headless(world.url, origin.id, { count: 2, examples: 30, task: 'iris' });
  await finished;
  for (const session of sessions) session.close();
  const untrained = await world.coordinator.runs.create('iris', plan, false);

  const { page } = await person(browser);
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
  await page.goto(`${world.url}/admin#launch=iris`);
  const from = page.getByTestId('run-from');
  await from.waitFor();
  const offered = await from
    .locator('option')
    .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
  expect(offered).toEqual(['', `${origin.id}/1`]);
  expect(offered).not.toContain(`${untrained.id}/0`);
  await from.selectOption(`${origin.id}/1`);
  expect(await page.getByTestId('command').textContent()).toContain(
    `--url ${world.url} --from ${origin.id}/1`,
  );
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.getByTestId('create-run').click();

  const link = page.getByTestId('run-origin');
  await link.waitFor();
  expect(await link.textContent()).toBe(`${origin.id}/1`);
  const run = new URLSearchParams(new URL(page.url()).hash.slice(1)).get('run') as string;
  expect(world.coordinator.runs.get(run).from).toBe(`${origin.id}/1`);
  const [first] = await world.coordinator.storage.checkpoints(run);
  expect(first?.hash).toBe(world.coordinator.runs.get(origin.id).checkpoint);
  const table = page.getByTestId('checkpoints-table');
  await table.waitFor();
  expect(await table.locator('tbody tr').first().textContent()).toContain(`${run}/0`);
  expect(await table.locator('tbody tr').first().textContent()).toContain(`${origin.id}/1`);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await link.click();
  await page.getByText(`/runs/${origin.id}/latest/model.json`).waitFor();
});
