import AxeBuilder from '@axe-core/playwright';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { normal, seededRandom } from '@coppice/ports';
import { createTrainer } from '@coppice/training';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* A task whose scaling is agreed: proposed from a file in the form, agreed by participants, shown on both pages. */

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

const dense = (name: string, units: number, more: object = {}) => ({
  class_name: 'Dense',
  config: { name, units, activation: 'linear', use_bias: true, dtype: 'float32', ...more },
});
const model = JSON.stringify({
  modelTopology: {
    class_name: 'Sequential',
    config: { name: 'flats', layers: [dense('price', 1, { batch_input_shape: [null, 2] })] },
  },
});

/** Flats: area in m², age in years, and the price in dollars. */
function flats(seed: number, count = 40) {
  const random = seededRandom('flats', seed);
  const features = Float32Array.from({ length: 2 * count }, (_, i) =>
    i % 2 === 0 ? 80 + 20 * normal(random) : Math.abs(30 + 15 * normal(random)),
  );
  const labels = Float32Array.from(
    { length: count },
    (_, row) => 3000 * (features[2 * row] as number) - 500 * (features[2 * row + 1] as number),
  );
  return { count, features, labels };
}

function csv(): string {
  const { count, features, labels } = flats(9);
  const rows = Array.from(
    { length: count },
    (_, row) => `${features[2 * row]},${features[2 * row + 1]},${labels[row]}`,
  );
  return ['area,age,price', ...rows].join('\n');
}

async function signIn(page: Page): Promise<void> {
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
}

it('is proposed from a file, agreed by three participants, and shown with the run', async () => {
  const { page, context } = await person(browser, { viewport: { width: 390, height: 844 } });
  await signIn(page);
  await page.goto(`${world.url}/admin#new-task`);
  const field = (name: string) => page.getByTestId(name === 'model' ? 'task-json' : `task-field-${name}`);
  await field('kind').selectOption('table');
  const file = { name: 'flats.csv', mimeType: 'text/csv', buffer: Buffer.from(csv()) };
  await page.getByTestId('task-data-file').setInputFiles(file);
  await expect
    .poll(() => field('features').inputValue())
    .toMatch(/^area: mean \S+, scale \S+, min \S+, max \S+\nage: mean/);
  expect(await field('target').inputValue()).toBe('price');
  expect(await field('targetKind').inputValue()).toBe('number');
  await field('scaling').selectOption('agreed');
  expect(await field('targetMean').count()).toBe(0);
  const values = {
    id: 'flats',
    titleEn: 'Flats',
    descriptionEn: 'Prices of flats.',
    targetMin: '0',
    targetMax: '',
    model,
  };
  for (const [name, value] of Object.entries(values)) await field(name).fill(value);
  await page.getByTestId('task-submit').click();
  await page.getByTestId('task-error').getByText('"price" needs a plausible range').waitFor();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
  await field('targetMax').fill('1000000');
  await page.getByTestId('task-submit').click();
  await expect.poll(() => page.url(), { timeout: 15_000 }).not.toContain('new-task');

  const run = await world.coordinator.runs.create('flats', { rounds: 2 }, true);
  await page.goto(`${world.url}/admin#run=${run.id}`);
  await page.getByTestId('task-scaling').getByText('agreed by the participants before').waitFor();
  const sessions = [0, 1, 2].map((seed) =>
    createHeadlessParticipant({
      url: world.url,
      identity: `flats/${seed}`,
      examples: flats(seed),
      host,
      backend: 'planned',
    }),
  );
  for (const session of sessions) session.connect();
  for (const session of sessions) void session.join(run.id);
  await page.getByTestId('task-scaling').getByText('3 participants agreed on the scaling').waitFor();
  await page.getByTestId('task-columns').getByText('(value −').first().waitFor();
  for (const session of sessions) session.close();
  await context.close();
});

it('is on the consent label before anything leaves', async () => {
  const open = await world.coordinator.runs.create('flats', { rounds: 2 }, true);
  const { page, context } = await person(browser);
  await page.goto(`${world.url}/?run=${open.id}`);
  await page.getByText('the sum of its values and of their squares').waitFor();
  await context.close();
});
