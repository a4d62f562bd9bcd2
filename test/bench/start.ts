import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { launchBrowser, person } from '../browser/launch.ts';
import { consentAndStart, waitForAccepted } from '../e2e/client-page.ts';
import { ADMIN_KEY, startWorld, type World } from '../e2e/world.ts';
import { type BenchResult, load, row } from './result.ts';

/** Units of the LSTM layer. */
const UNITS = [32, 128, 256] as const;
const TURNS = 5;
const EXAMPLES = 60;
const COLUMNS = 12;
/** Milliseconds from Start to the first update that a person waits at most. */
const AIM = 3000;

/** Measures the time from Start on the client page, in Chromium, to the first update that counts, for recurrent models. */
export async function measure(): Promise<BenchResult> {
  const before = load();
  const world = await startWorld();
  const browser = await launchBrowser();
  try {
    const samples = new Map<number, number[]>(UNITS.map((units) => [units, []]));
    for (const units of UNITS) await createTask(world, units);
    for (let turn = 0; turn < TURNS; turn++)
      for (const units of UNITS) samples.get(units)?.push(await firstUpdate(world, browser, units));
    const largest = row('largest', samples.get(256), 'ms');
    return {
      name: 'From Start to the first update',
      load: { before, after: load() },
      rows: UNITS.map((units) => row(`LSTM of ${units} units, in Chromium`, samples.get(units), 'ms')),
      ratios: [{ what: 'LSTM of 256 units : 3 s', value: largest.median / AIM, aim: { atMost: 1 } }],
    };
  } finally {
    await browser.close();
    await world.close();
  }
}

async function createTask(world: World, units: number): Promise<void> {
  const file = new URL('../cases/models/lstm-256.json', import.meta.url);
  const text = readFileSync(file, 'utf8')
    .replaceAll('lstm-256', `lstm-${units}`)
    .replace('"units":256', `"units":${units}`);
  const { status } = await fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: text,
  });
  if (status !== 201) throw new Error(`the task with ${units} units was not made (${status})`);
}

async function firstUpdate(world: World, browser: Browser, units: number): Promise<number> {
  const run = await world.coordinator.runs.create(`lstm-${units}`, { minParticipants: 1, rounds: 1 }, true);
  const { page, context } = await person(browser, { locale: 'en-US' });
  await page.goto(`${world.url}/?run=${run.id}`);
  await page
    .getByTestId('csv-input')
    .setInputFiles({ name: 'examples.csv', mimeType: 'text/csv', buffer: Buffer.from(csv()) });
  await page.getByTestId('csv-add').click();
  await page.waitForFunction(
    (wanted) => document.querySelector('[data-testid="data-count"]')?.textContent?.trim() === wanted,
    String(EXAMPLES),
  );
  const began = performance.now();
  await consentAndStart(page);
  await waitForAccepted(page, 1);
  const taken = performance.now() - began;
  await context.close();
  return taken;
}

function csv(): string {
  const columns = Array.from({ length: COLUMNS }, (_, at) => at);
  const rows = Array.from({ length: EXAMPLES }, (_, row) =>
    [...columns.map((at) => Math.sin(row * 7 + at).toFixed(3)), `c${row % 3}`].join(','),
  );
  return [[...columns.map((at) => `f${at}`), 'y'].join(','), ...rows].join('\n');
}
