import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInTask, prepareImage } from '@coppice/datasets';
import { type DataSchema, recipeHash, weightsHash } from '@coppice/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { draw } from './client-page.ts';
import { strokes } from './pictures.ts';
import { ADMIN_KEY, startWorld, trained, type World } from './world.ts';

/* The example page of packages/client on an origin of its own, and the models that are released to it. */
const library = fileURLToPath(new URL('../../packages/client', import.meta.url));
const tfjs = createRequire(import.meta.url).resolve('@tensorflow/tfjs/dist/tf.min.js');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** What is polled does come; how soon depends on what else the machine is doing. */
const patient = { timeout: 60_000 };

let world: World;
let browser: Browser;
let elsewhere: Server;
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
    const path = new URL(request.url ?? '/', 'http://elsewhere').pathname;
    const made = unusual.answers[path];
    if (made !== undefined) {
      response.setHeader('content-type', made.type);
      response.end(made.body);
      return;
    }
    const file =
      path === '/'
        ? join(library, 'example/index.html')
        : path === '/tf.min.js'
          ? tfjs
          : join(library, 'dist', path.replace(/^\/coppice\//, ''));
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    try {
      response.end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  await world?.close();
});

/**
 * A model with an activation that no kernel computes, served as a coordinator does, and a worker that predicts with it:
 * y = 3 · elu(x − 2) + 1, with elu(x) = eˣ − 1 below 0.
 */
const unusual = (() => {
  const layer = (name: string, activation: string) => ({
    class_name: 'Dense',
    config: { name, units: 1, activation, use_bias: true, batch_input_shape: [null, 1] },
  });
  const data: DataSchema = {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  };
  const model = {
    class_name: 'Sequential',
    config: { name: 'unusual', layers: [layer('bent', 'elu'), layer('straight', 'linear')] },
  };
  const weights = Float32Array.of(1, -2, 3, 1);
  const hash = weightsHash(weights);
  const coppice = { checkpoint: hash, run: 'unusual-1', round: 1, recipe: recipeHash(data) };
  const worker = `
    import { connect } from './coppice/coppice.js';
    const client = connect({ url: location.origin, task: 'unusual' });
    onmessage = ({ data }) => client.predict(data).then(postMessage, ({ message }) => postMessage({ message }));
  `;
  const json = (value: object) => ({ type: 'application/json', body: JSON.stringify(value) });
  const answers: Readonly<Record<string, { readonly type: string; readonly body: string | Buffer }>> = {
    '/worker.js': { type: 'text/javascript', body: worker },
    '/api/tasks/unusual': json({ id: 'unusual', data, model, loss: 'meanSquaredError' }),
    '/models/unusual/production/model.json': json({
      modelTopology: model,
      userDefinedMetadata: { coppice },
    }),
    [`/models/unusual/${hash}/weights.bin`]: {
      type: 'application/octet-stream',
      body: Buffer.from(weights.buffer),
    },
  };
  return { answers };
})();

/** Moves production by the API, as an admin's program does. */
async function moveProduction(task: string, path: '' | '/undo', body: object): Promise<void> {
  const before = await world.coordinator.releases.at(task, 'production');
  const answer = await fetch(`${world.url}/api/tasks/${task}/releases${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ expected: before?.sequence ?? null, reason: 'A test.', ...body }),
  });
  expect(answer.ok).toBe(true);
}

function release(task: string, round: number): Promise<void> {
  return moveProduction(task, '', { channel: 'production', checkpoint: `${runs[task]}/${round}` });
}

/** The text of an answer once the model of this checkpoint gave it. */
async function answerOf(page: Page, id: string, checkpoint: string): Promise<string> {
  const output = page.locator(`#${id}`);
  await expect.poll(() => output.textContent(), patient).toContain(`(model ${checkpoint})`);
  return (await output.textContent()) ?? '';
}

async function stateOf(page: Page, state: string): Promise<void> {
  await page.locator(`#digit[data-state="${state}"]`).waitFor({ state: 'attached' });
}

/** Draws a seven on the example page's sheet. */
async function drawSeven(page: Page): Promise<void> {
  const sheet = page.locator('#sheet');
  await sheet.evaluate((element) => element.setAttribute('data-testid', 'sheet'));
  await draw(page, 'sheet', strokes[7] as (readonly [number, number])[]);
  await page.mouse.up();
}

interface TfGlobal {
  setBackend(name: string): Promise<boolean>;
  loadLayersModel(url: string): Promise<{ predict(x: unknown): { data(): Promise<Float32Array> } }>;
  tensor2d(values: number[], shape: [number, number]): unknown;
}

/** The outputs of plain tfjs, which loads the model by its URL, for one row of inputs. */
async function plainTfjs(page: Page, task: string, inputs: number[]): Promise<number[]> {
  return page.evaluate(
    async ({ url, values }) => {
      const { tf } = globalThis as unknown as { tf: TfGlobal };
      await tf.setBackend('cpu');
      const model = await tf.loadLayersModel(url);
      return [...(await model.predict(tf.tensor2d(values, [1, values.length])).data())];
    },
    { url: `${world.url}/models/${task}/production/model.json`, values: inputs },
  );
}

interface Predicted {
  readonly id: string;
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

interface ConnectGlobal {
  connect(options: { url: string; task: string }): {
    predict(input: unknown): Promise<Predicted>;
    close(): void;
  };
}

/** Makes `connect` a global of a page. */
async function withConnect(page: Page): Promise<void> {
  await page.addScriptTag({
    type: 'module',
    content: "import { connect } from './coppice/coppice.js'; Object.assign(globalThis, { connect });",
  });
  await page.waitForFunction(() => 'connect' in globalThis);
}

/** Predicts with a client of its own in the example page: of the sheet, a picture at a URL, or a row. */
async function predicted(
  page: Page,
  task: string,
  input: 'sheet' | { readonly png: string } | { readonly row: Record<string, string | number> },
): Promise<Predicted> {
  return page.evaluate(
    async ({ url, task, input }) => {
      const client = (globalThis as unknown as ConnectGlobal).connect({ url, task });
      const given =
        input === 'sheet'
          ? document.querySelector('#sheet')
          : 'png' in input
            ? await (await fetch(input.png)).blob()
            : input.row;
      const answer = await client.predict(given);
      client.close();
      return answer;
    },
    { url: world.url, task, input },
  );
}

it('predicts in a page of another origin, hears of releases and of undoing, and outlives the coordinator', async () => {
  const { page, context } = await person(browser);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${origin}/?interval=1000&coordinator=${encodeURIComponent(world.url)}`);
  await stateOf(page, 'no-model');
  await page.evaluate(() => Object.assign(globalThis, { neverReloaded: true }));
  await drawSeven(page);
  await expect.poll(() => page.locator('#digit').textContent(), patient).toContain('No model is released');

  const digits = runs['mnist-2nn'];
  await release('mnist-2nn', 1);
  await release('iris', 1);
  await answerOf(page, 'digit', `${digits}/1`);
  await answerOf(page, 'species', `${runs['iris']}/1`);

  await release('mnist-2nn', 2);
  await release('iris', 2);
  expect(await answerOf(page, 'digit', `${digits}/2`)).toMatch(/^7, /);
  await answerOf(page, 'species', `${runs['iris']}/2`);

  await moveProduction('mnist-2nn', '/undo', {});
  await answerOf(page, 'digit', `${digits}/1`);
  await drawSeven(page);
  await answerOf(page, 'digit', `${digits}/1`);

  await world.stop();
  await stateOf(page, 'offline');
  await page.locator('#clear').click();
  await drawSeven(page);
  await answerOf(page, 'digit', `${digits}/1`);
  expect(await page.evaluate(() => 'neverReloaded' in globalThis)).toBe(true);

  // Opened anew while the coordinator is away: by what the browser keeps.
  await page.reload();
  await answerOf(page, 'species', `${runs['iris']}/2`);
  await stateOf(page, 'offline');

  await world.startAgain();
  await stateOf(page, 'ready');
  await release('mnist-2nn', 2);
  await drawSeven(page);
  await answerOf(page, 'digit', `${digits}/2`);
  expect(errors).toEqual([]);
  await context.close();
});

it('gives the probabilities of plain tfjs and of the client page', async () => {
  for (const task of ['mnist-2nn', 'iris'])
    if ((await world.coordinator.releases.at(task, 'production'))?.checkpoint !== `${runs[task]}/2`)
      await release(task, 2);
  const { page, context } = await person(browser);
  await page.goto(`${origin}/?coordinator=${encodeURIComponent(world.url)}`);
  await page.addScriptTag({ url: '/tf.min.js' });
  await withConnect(page);

  await drawSeven(page);
  const pixels = await page.evaluate(() => {
    const sheet = document.querySelector('#sheet') as HTMLCanvasElement;
    const { data } = (sheet.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, 280, 280);
    return [...data];
  });
  const data = builtInTask('mnist-2nn')?.data;
  if (data?.kind !== 'image') throw new Error('digits are pictures');
  const bytes = prepareImage({ width: 280, height: 280, data: Uint8Array.from(pixels) }, data);
  const drawn = await predicted(page, 'mnist-2nn', 'sheet');
  const expected = await plainTfjs(
    page,
    'mnist-2nn',
    [...bytes].map((byte) => byte / 255),
  );
  expect(drawn.id).toMatch(/^[0-9a-f]{32}$/);
  for (const [index, { probability }] of drawn.classes.entries())
    expect(probability).toBeCloseTo(expected[index] as number, 4);

  const row = { 'petal width': 1.8, 'sepal length': '6.3', 'sepal width': 2.9, 'petal length': 5.6 };
  const flower = await predicted(page, 'iris', { row });
  // Means and scales of the task, written out.
  const scaled = [
    (6.3 - 5.8433) / 0.8253,
    (2.9 - 3.0573) / 0.4344,
    (5.6 - 3.758) / 1.7594,
    (1.8 - 1.1993) / 0.7597,
  ];
  const flowers = await plainTfjs(page, 'iris', scaled);
  expect(flower.classes.map(({ name }) => name)).toEqual(['setosa', 'versicolor', 'virginica']);
  for (const [index, { probability }] of flower.classes.entries())
    expect(probability).toBeCloseTo(flowers[index] as number, 4);

  // The same drawing as the client page has it, sent from there as a file.
  const client = await context.newPage();
  await client.goto(`${world.url}/?run=${runs['mnist-2nn']}`);
  await draw(client, 'predict-canvas', strokes[7] as (readonly [number, number])[]);
  await client.mouse.up();
  const png = await client
    .getByTestId('predict-canvas')
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL('image/png'));
  const here = await predicted(page, 'mnist-2nn', { png });
  const percents = here.classes.map(({ probability }) => 100 * probability);
  // Shown as whole percents; the file's transparent pixels are rounded once more.
  await expect
    .poll(async () => {
      const shares = await client.locator('#use .balance-count').allTextContents();
      const whole = shares.map((share) => Number.parseFloat(share));
      return (
        whole.length === 10 &&
        whole.every((share, index) => Math.abs(share - (percents[index] as number)) <= 1)
      );
    }, patient)
    .toBe(true);
  await context.close();
});

it('predicts in a worker, and by tfjs where the model has a layer without kernels', async () => {
  const { page, context } = await person(browser);
  await page.goto(origin);
  const answers = await page.evaluate(async () => {
    const worker = new Worker('/worker.js', { type: 'module' });
    const ask = (x: number) =>
      new Promise<{ value?: number; checkpoint?: string; message?: string }>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage({ x });
      });
    return [await ask(4), await ask(0)];
  });
  expect(answers).toMatchObject([
    { checkpoint: 'unusual-1/1', value: expect.closeTo(3 * 2 + 1, 5) },
    { checkpoint: 'unusual-1/1', value: expect.closeTo(3 * (Math.exp(-2) - 1) + 1, 5) },
  ]);
  await context.close();
});
