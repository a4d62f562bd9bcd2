import { AxeBuilder } from '@axe-core/playwright';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { seededRandom, uniform } from '@coppice/ports';
import { createTrainer } from '@coppice/training';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* The measures that a task asks for, on the admin's page of a run. */
let world: World;
let browser: Browser;
const host = trainerHost(createTrainer, ['planned']);

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
  host.dispose();
});

function examplesOf(index: number) {
  const random = seededRandom('measures', index);
  const rows = Array.from({ length: 80 }, () => [2 * uniform(random) - 1, 2 * uniform(random) - 1] as const);
  return {
    count: rows.length,
    features: Float32Array.from(rows.flat()),
    labels: Float32Array.from(rows, ([x, y]) => (x + y > 0.4 ? 1 : 0)),
  };
}

it('draws the measure that is chosen, and the newest ones of each class as a table', async () => {
  await world.coordinator.tasks.create({
    id: 'sides',
    title: { en: 'Sides' },
    description: { en: 'Tells the sides of a line apart.' },
    data: {
      kind: 'table',
      features: [
        { name: 'x', mean: 0, scale: 1 },
        { name: 'y', mean: 0, scale: 1 },
      ],
      target: { kind: 'class', name: 'side', classes: ['below', 'above'] },
    },
    model: {
      class_name: 'Sequential',
      config: {
        name: 'sides',
        layers: [
          {
            class_name: 'Dense',
            config: { name: 'side', units: 1, activation: 'sigmoid', batch_input_shape: [null, 2] },
          },
        ],
      },
    },
    heldOut: 0.5,
  });
  const run = await world.coordinator.runs.create(
    'sides',
    { minParticipants: 3, rounds: 3, epochs: 5, learningRate: 0.5, evaluationShare: 0.5 },
    true,
  );
  const sessions = [0, 1, 2].map((i) =>
    createHeadlessParticipant({
      url: world.url,
      identity: `measures/${i}`,
      examples: examplesOf(i),
      heldOut: 0.5,
      host,
      backend: 'planned',
    }),
  );
  for (const session of sessions) {
    session.connect();
    void session.join(run.id);
  }
  await expect
    .poll(() => world.coordinator.runs.get(run.id).status, { timeout: 60_000, interval: 50 })
    .toBe('finished');
  for (const session of sessions) session.close();

  const { page } = await person(browser);
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}#run=${run.id}`);
  const charts = page.getByTestId('metric-charts');
  await charts.waitFor();
  expect(await charts.locator('option').allTextContents()).toEqual([
    'Area under the ROC curve (AUROC)',
    'Area under the precision–recall curve',
    'Recall',
    'F1',
  ]);
  await charts.locator('select').selectOption('f1');
  await expect.poll(() => page.getByTestId('metric-chart').textContent()).toContain('F1');
  const table = page.getByTestId('metric-parts');
  expect(await table.locator('tbody th').allTextContents()).toEqual(['below', 'above']);
  const shown = Number((await table.locator('tbody tr').nth(1).locator('td').first().textContent()) ?? '');
  expect(shown).toBeGreaterThan(0.8);
  const found = (await new AxeBuilder({ page }).include('[data-testid="metric-charts"]').analyze())
    .violations;
  expect(found.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  await page.setViewportSize({ width: 390, height: 800 });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
  await expect.poll(wide).toBeLessThanOrEqual(390);
  const picture = process.env['METRICS_PICTURE'];
  if (picture !== undefined) {
    await charts.screenshot({ path: `${picture}-390.png` });
    await page.setViewportSize({ width: 1200, height: 900 });
    await charts.screenshot({ path: `${picture}.png` });
  }
});
