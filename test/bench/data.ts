import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapColumns, proposeSchema, readTable, takeRows } from '@coppice/datasets/reading';
import { seededRandom, uniform } from '@coppice/ports';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, person } from '../browser/launch.ts';
import { ADMIN_KEY, startWorld, type World } from '../e2e/world.ts';
import { type BenchResult, byTurns, load, row } from './result.ts';

/** The long table: about 61 MB. */
const LONG_ROWS = 1_200_000;
/** The wide one: MNIST as it is passed round, about 110 MB. */
const WIDE_ROWS = 60_000;
const WIDE_COLUMNS = 784;
const TURNS = 3;
/** Milliseconds until a table of 61 MB is shown, and until its rows are added. */
const SHOWN = 3000;
const ADDED = 4000;

/** Measures how fast files of data are read: by the library in Node, and on the client page in Chromium. */
export async function measure(): Promise<BenchResult> {
  const before = load();
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-data-'));
  try {
    const long = join(folder, 'long.csv');
    const wide = join(folder, 'wide.csv');
    writeFileSync(long, longTable());
    writeFileSync(wide, wideTable());
    const library = await byTurns(
      { long: () => readAndTake(long), wide: () => readAndTake(wide) },
      { turns: TURNS },
    );
    const page = await onPage(long);
    const rows = [
      row('61 MB, 1.2 million rows: read and taken, in Node', library['long'], 'ms'),
      row('110 MB, 784 columns: read and taken, in Node', library['wide'], 'ms'),
      row('61 MB on the client page: until it is shown', page.shown, 'ms'),
      row('61 MB on the client page: until its rows are added', page.added, 'ms'),
      row('longest time without a frame meanwhile', page.frozen, 'ms'),
    ];
    return {
      name: 'Files of data',
      load: { before, after: load() },
      rows,
      ratios: [
        { what: '61 MB shown : 3 s', value: (rows[2]?.median as number) / SHOWN, aim: { atMost: 1 } },
        { what: '61 MB added : 4 s', value: (rows[3]?.median as number) / ADDED, aim: { atMost: 1 } },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const COLUMNS = ['time', 'a', 'b', 'c', 'd', 'e'] as const;

function longTable(): string {
  const random = seededRandom('bench', 'data', 'long');
  const lines = [`${COLUMNS.join(',')},kind`];
  for (let i = 0; i < LONG_ROWS; i++) {
    const numbers = [1_700_000_000 + 30 * i, 100, 1000, 5000, 1, 10].map((scale, at) =>
      at === 0 ? String(scale) : (scale * uniform(random)).toFixed(3),
    );
    lines.push(`${numbers.join(',')},${uniform(random) < 0.5 ? 'north' : 'south'}`);
  }
  return `${lines.join('\n')}\n`;
}

function wideTable(): string {
  const random = seededRandom('bench', 'data', 'wide');
  const lines = [`label,${Array.from({ length: WIDE_COLUMNS }, (_, i) => `pixel${i}`).join(',')}`];
  for (let i = 0; i < WIDE_ROWS; i++) {
    const pixels = Array.from({ length: WIDE_COLUMNS }, () =>
      uniform(random) < 0.8 ? 0 : Math.floor(256 * uniform(random)),
    );
    lines.push(`${i % 10},${pixels.join(',')}`);
  }
  return `${lines.join('\n')}\n`;
}

async function readAndTake(path: string): Promise<void> {
  const table = await readTable(await openAsBlob(path));
  const { data } = proposeSchema(table, {
    target: table.columns.some(({ name }) => name === 'kind') ? 'kind' : 'label',
  });
  const { count } = takeRows(table, mapColumns(table, data), data);
  if (count !== table.rows) throw new Error(`${table.rows - count} rows were left out`);
}

interface PageTimes {
  readonly shown: number[];
  readonly added: number[];
  readonly frozen: number[];
}

async function onPage(path: string): Promise<PageTimes> {
  const world = await startWorld();
  const browser = await launchBrowser();
  try {
    await createTask(world);
    const times: PageTimes = { shown: [], added: [], frozen: [] };
    for (let turn = 0; turn < TURNS; turn++) await addOnce(world, browser, path, times);
    return times;
  } finally {
    await browser.close();
    await world.close();
  }
}

async function createTask(world: World): Promise<void> {
  const dense = { name: 'dense', units: 2, activation: 'softmax', batch_input_shape: [null, COLUMNS.length] };
  const { status } = await fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      id: 'long',
      title: { en: 'Long' },
      description: { en: 'A long table.' },
      data: {
        kind: 'table',
        features: COLUMNS.map((name) => ({ name, mean: 0, scale: 1 })),
        target: { kind: 'class', name: 'kind', classes: ['north', 'south'] },
      },
      model: {
        class_name: 'Sequential',
        config: { name: 'long', layers: [{ class_name: 'Dense', config: dense }] },
      },
    }),
  });
  if (status !== 201) throw new Error(`the task was not made (${status})`);
}

async function addOnce(world: World, browser: Browser, path: string, times: PageTimes): Promise<void> {
  const run = await world.coordinator.runs.create('long', { minParticipants: 2 }, true);
  const { page, context } = await person(browser, { locale: 'en-US' });
  await page.goto(`${world.url}/?run=${run.id}`);
  await page.getByTestId('csv-input').waitFor({ state: 'attached' });
  await watchFrames(page);
  const began = performance.now();
  await page.getByTestId('csv-input').setInputFiles(path);
  await page.getByTestId('csv-add').waitFor({ timeout: 120_000 });
  const shown = performance.now();
  await page.getByTestId('csv-add').click();
  await page.waitForFunction(
    (wanted) => document.querySelector('[data-testid="data-count"]')?.textContent?.trim() === wanted,
    LONG_ROWS.toLocaleString('en-US'),
    { timeout: 120_000 },
  );
  times.shown.push(shown - began);
  times.added.push(performance.now() - shown);
  times.frozen.push(await page.evaluate(() => (globalThis as unknown as Watched).longestFrame));
  await context.close();
}

interface Watched {
  longestFrame: number;
}

/** Keeps the longest time between two frames of a page. */
async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const watched = globalThis as unknown as Watched;
    watched.longestFrame = 0;
    let last = performance.now();
    const frame = (now: number) => {
      watched.longestFrame = Math.max(watched.longestFrame, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}
