import AxeBuilder from '@axe-core/playwright';
import type { Topology } from '@coppice/protocol';
import { describeModel } from '@coppice/training/describe';
import * as tf from '@tensorflow/tfjs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* A model with a frozen base is given with its weights on the admin page, and fine-tuned by two browsers. */

let world: World;
let browser: Browser;
let files: { name: string; mimeType: string; buffer: Buffer }[];
let given: Map<string, Float32Array>;

const classes = Array.from({ length: 10 }, (_, i) => String(i));
const layer = (class_name: string, name: string, config: object = {}) => ({
  class_name,
  config: { name, ...config },
});
const topology: Topology = {
  class_name: 'Sequential',
  config: {
    name: 'given_digits',
    layers: [
      layer('Conv2D', 'filters', {
        filters: 4,
        kernel_size: [5, 5],
        strides: [2, 2],
        activation: 'relu',
        trainable: false,
        batch_input_shape: [null, 28, 28, 1],
      }),
      layer('MaxPooling2D', 'pool', { pool_size: [3, 3], strides: [3, 3] }),
      layer('Flatten', 'flat'),
      layer('Dense', 'head', { units: 10, activation: 'softmax' }),
    ],
  },
};

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  const data = { kind: 'image', width: 28, height: 28, channels: 1, classes } as const;
  const description = { topology, data, loss: 'categoricalCrossentropy' } as const;
  const { layout, weights } = await describeModel(description, 8);
  let at = 0;
  given = new Map(
    layout.map(({ name, shape }) => {
      const from = at;
      at += shape.reduce((a, b) => a * b, 1);
      return [name, weights.slice(from, at)];
    }),
  );
  // Two shards, as tfjs cuts them: anywhere.
  const bytes = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength);
  const weightSpecs = layout.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  const json = {
    format: 'layers-model',
    modelTopology: topology,
    weightsManifest: [{ paths, weights: weightSpecs }],
  };
  files = [
    { name: 'model.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(json)) },
    ...paths.map((name, i) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: i === 0 ? bytes.subarray(0, 1001) : bytes.subarray(1001),
    })),
  ];
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

async function openForm(page: Page): Promise<void> {
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
  await page.goto(`${world.url}/admin#new-task`);
  await page.getByTestId('task-file').waitFor();
}

it.each(['light', 'dark'] as const)(
  'shows what files hold, in Chinese on a phone (%s)',
  async (colorScheme) => {
    const { page, context, problems } = await person(browser, {
      locale: 'zh-CN',
      colorScheme,
      viewport: { width: 390, height: 844 },
    });
    await openForm(page);
    await page.getByTestId('task-file').setInputFiles(files);
    const found = page.getByTestId('model-found');
    await found.getByText('filters').waitFor();
    expect(await found.locator('dd').allTextContents()).toEqual([
      'tfjs (model.json)',
      '2',
      '754 · 可训练 650 个，冻结 104 个',
      'filters',
      expect.stringContaining('随任务提供'),
    ]);
    // Left out, the frozen layer has none.
    await page.getByTestId('weights-given').uncheck();
    await page.getByText('冻结的层需要权重').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
  },
);

it('keeps the base to the bit in the model that two browsers fine-tune', async () => {
  const admin = await person(browser);
  const { page } = admin;
  await openForm(page);
  const fields = {
    id: 'given-digits',
    titleEn: 'Given digits',
    descriptionEn: 'Digits, told apart by what given filters see.',
    classes: classes.join('\n'),
  };
  for (const [name, value] of Object.entries(fields))
    await page.getByTestId(`task-field-${name}`).fill(value);

  // The description alone has no weights for the frozen layer; a file that is none says so in its place.
  await page.getByTestId('task-file').setInputFiles(files.slice(0, 1));
  await page.getByText('Frozen layers need weights').waitFor();
  await page.getByTestId('task-submit').click();
  await page.getByTestId('model-error').getByText('its layer "filters" is frozen').waitFor();
  await page.getByTestId('task-file').setInputFiles({
    name: 'model.keras',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('PK\x03\x04'),
  });
  await page.getByTestId('model-error').getByText("can't be read").waitFor();

  await page.getByTestId('task-file').setInputFiles(files);
  await page.getByText('Runs of the task begin with these weights').waitFor();
  expect(await page.getByTestId('model-error').count()).toBe(0);
  await page.getByTestId('task-submit').click();
  await expect.poll(() => page.url(), { timeout: 30_000 }).toContain('launch=given-digits');
  await page.getByTestId('run-from').waitFor();
  expect(await page.getByTestId('run-from').locator('option').allTextContents()).toEqual([
    'Given with the task',
    'Drawn from the seed; frozen ones as given',
  ]);

  const { runs, storage } = world.coordinator;
  const run = await runs.create(
    'given-digits',
    { rounds: 2, minParticipants: 2, cohortFraction: 1, overSelection: 1 },
    true,
  );
  expect(run).toMatchObject({ from: null, firstWeights: 'given' });
  await page.goto(`${world.url}/admin#run=${run.id}`);
  await page.getByTestId('run-first-weights').getByText('given with the task').waitFor();
  for (const digit of [1, 7]) {
    const device = await person(browser);
    await device.page.goto(`${world.url}/?run=${run.id}`);
    await addPictures(device.page, digit, await digitFiles(digit, 12));
    await consentAndStart(device.page);
  }
  await expect.poll(() => runs.get(run.id).status, { timeout: 120_000 }).toBe('finished');
  const checkpoints = await storage.checkpoints(run.id);
  expect(checkpoints.map(({ round }) => round)).toEqual([2, 1, 0]);

  const model = await tf.loadLayersModel(`${world.url}/models/given-digits/runs/${run.id}/2/model.json`);
  for (const weight of model.weights) {
    const name = weight.originalName;
    const values = weight.read().dataSync() as Float32Array;
    if (name.startsWith('filters/')) expect(values, name).toEqual(given.get(name));
    else expect(values, name).not.toEqual(given.get(name));
  }

  // The model at its address here is a model to begin another task from.
  await openForm(page);
  await page.getByTestId('model-address').fill('/models/given-digits/latest');
  await page.getByTestId('model-address').press('Enter');
  await page.getByTestId('model-found').getByText('650 trained, 104 frozen').waitFor();
  // The browser tells of the task that was refused.
  expect(admin.problems).toEqual([expect.stringContaining('422')]);
});
