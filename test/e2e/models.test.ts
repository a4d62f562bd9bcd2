import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { loadTaskData } from '@coppice/datasets/node';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { headless, startWorld, type World } from './world.ts';

let world: World;
let browser: Browser;
let elsewhere: Server;
let origin: string;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  const tfjs = readFileSync(createRequire(import.meta.url).resolve('@tensorflow/tfjs/dist/tf.min.js'));
  elsewhere = createServer((request, response) => {
    const script = request.url === '/tf.min.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? tfjs : '<!doctype html><title>elsewhere</title><script src="/tf.min.js"></script>');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  await world?.close();
});

interface TfGlobal {
  loadLayersModel(
    url: string,
  ): Promise<{ predict(x: unknown): { argMax(axis: number): { data(): Promise<Int32Array> } } }>;
  tensor2d(values: number[], shape: [number, number]): unknown;
  setBackend(name: string): Promise<boolean>;
}

describe('a checkpoint', () => {
  it('loads in plain tfjs from another origin, and is as accurate there as it was measured here', async () => {
    const run = await world.coordinator.runs.create(
      'mnist-2nn',
      { rounds: 3, minParticipants: 2, overSelection: 1 },
      true,
    );
    const sessions = await headless(world.url, run.id, { count: 2, examples: 600 });
    await new Promise<void>((resolve) => {
      const stop = world.coordinator.runs.subscribe({
        runChanged: () => {
          if (world.coordinator.runs.get(run.id).status !== 'finished') return;
          stop();
          resolve();
        },
        participantsChanged: () => {},
        roundChanged: () => {},
      });
    });
    for (const session of sessions) session.close();
    const { central, checkpoint } = world.coordinator.runs.get(run.id);
    const { test } = await loadTaskData('mnist-2nn');
    const count = 1000;
    const pixels = [...test.features.subarray(0, count * 784)];
    const { page } = await person(browser);
    await page.goto(origin);
    for (const version of ['latest', checkpoint]) {
      const answers = await page.evaluate(
        async ({ url, values, rows }) => {
          const { tf } = globalThis as unknown as { tf: TfGlobal };
          await tf.setBackend('cpu');
          const model = await tf.loadLayersModel(url);
          return [
            ...(await model
              .predict(
                tf.tensor2d(
                  values.map((value) => value / 255),
                  [rows, 784],
                ),
              )
              .argMax(1)
              .data()),
          ];
        },
        { url: `${world.url}/models/mnist-2nn/${version}/model.json`, values: pixels, rows: count },
      );
      const right = answers.filter((answer, row) => answer === test.labels[row]).length;
      // The first thousand of ten thousand: within four standard errors of the whole.
      expect(Math.abs(right / count - (central?.accuracy ?? 0))).toBeLessThan(0.06);
    }
  });
});
