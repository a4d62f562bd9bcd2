import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { consentAndStart, waitForAccepted } from './client-page.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* A CSV file on the client page: the rows that are taken, and the reasons given for those that are not. */
let world: World;
let browser: Browser;

const task = (id: string, classes: readonly string[]) => ({
  id,
  title: { en: 'Seeds' },
  description: { en: 'Kinds of wheat by the area of a kernel.' },
  data: {
    kind: 'table',
    features: [{ name: 'area', mean: 14, scale: 1 }],
    target: { kind: 'class', name: 'kind', classes },
  },
  model: {
    class_name: 'Sequential',
    config: {
      name: id,
      layers: [
        {
          class_name: 'Dense',
          config: {
            name: 'dense',
            units: classes.length,
            activation: 'softmax',
            use_bias: true,
            batch_input_shape: [null, 1],
          },
        },
      ],
    },
  },
});

const post = (path: string, body: unknown) =>
  fetch(`${world.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const createTask = (id: string, classes: readonly string[]) => post('/api/tasks', task(id, classes));

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  expect((await createTask('seeds', ['1', '2', '3'])).status).toBe(201);
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** A page at a run that waits for more participants. */
async function arrived(locale: string, task = 'seeds') {
  const run = await world.coordinator.runs.create(task, { minParticipants: 2 }, true);
  const someone = await person(browser, { locale });
  await someone.page.goto(`${world.url}/?run=${run.id}`);
  return someone;
}

async function choose(page: Page, text: string): Promise<void> {
  await page
    .getByTestId('csv-input')
    .setInputFiles({ name: 'seeds.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
}

async function add(page: Page, text: string): Promise<void> {
  await choose(page, text);
  await page.getByTestId('csv-add').click();
}

async function told(page: Page, first: string): Promise<string[]> {
  const status = page.locator('.drop [role="status"]', { hasText: first });
  await status.waitFor();
  return status.locator('p, li').allTextContents();
}

const perClass = async (page: Page, count: number) => {
  await page.waitForFunction(
    ([wanted]) => document.querySelector('[data-testid="data-count"]')?.textContent?.trim() === wanted,
    [String(count)],
  );
};

describe('a CSV file', () => {
  it.each([
    [
      'en-US',
      '3 rows added. 4 rows skipped:',
      [
        'kind: “0” is not a class (2 rows, the first is row 5)',
        'kind: “10” in row 7 is not a class',
        'area: no value in row 8',
      ],
      'The classes are “1”, “2”, “3”. Labels must be one of these names.',
      ['None of the 2 rows fits:', 'area: not a number in 2 rows, such as “wide” in row 2'],
    ],
    [
      'zh-CN',
      '已添加 3 行。已跳过 4 行：',
      [
        'kind：“0”不是类别名（2 行，首次出现在第 5 行）',
        'kind：第 7 行的“10”不是类别名',
        'area：第 8 行没有值',
      ],
      '类别有：“1”、“2”、“3”。标签必须是其中之一。',
      ['2 行都不可用：', 'area：2 行不是数字，例如第 2 行的“wide”'],
    ],
  ])(
    'is taken by the names of its classes, and the rest is counted by reason: %s',
    async (locale, added, reasons, classes, nothing) => {
      const { page, context, problems } = await arrived(locale);
      await add(page, 'area,kind\n15.2,1.0\n14.1,2.0\n13,3.0\n12.9,0\n12.8,0\n12.7,10\n,1\n');
      expect(await told(page, added)).toEqual([added, ...reasons, classes]);
      await perClass(page, 3);

      await choose(page, 'area,kind\nwide,1\nwider,2\n');
      expect(await told(page, nothing[0] as string)).toEqual(nothing);
      // The columns can still be corrected.
      expect(await page.getByTestId('csv-add').isDisabled()).toBe(true);
      await perClass(page, 3);

      await add(page, 'area;kind\n15,2;1\n14,1;2\n');
      await perClass(page, 5);
      expect(problems).toEqual([]);
      await context.close();
    },
  );
});

describe('a table with a column of categories', () => {
  /** The price is 150 of oaks, 50 of elms and 100 of any other kind, whatever their height. */
  const orchard = {
    ...task('orchard', ['unused', 'unused as well']),
    data: {
      kind: 'table',
      features: [
        {
          kind: 'category',
          name: 'kind',
          values: ['oak', 'elm'],
          help: { en: 'Of the tree.', zh: '树种。' },
        },
        { name: 'height', unit: 'm', mean: 10, scale: 5 },
      ],
      target: { kind: 'number', name: 'price', unit: 'EUR', mean: 100, scale: 50 },
    },
    model: {
      class_name: 'Sequential',
      config: {
        name: 'orchard',
        layers: [{ class_name: 'Dense', config: { name: 'dense', units: 1, batch_input_shape: [null, 4] } }],
      },
    },
  };
  const rows = Array.from({ length: 60 }, (_, i) => {
    const [kind, price] = [
      ['oak', 150],
      ['ELM ', 50],
      ['ash', 100],
    ][i % 3] as [string, number];
    return `${5 + (i % 11)},${kind},${price}`;
  });
  beforeAll(async () => {
    expect((await post('/api/tasks', orchard)).status).toBe(201);
  });
  const file = ['height,kind,price', ...rows, '7,,90'].join('\n');

  it('says in Chinese which values the task does not list', async () => {
    const { page, context, problems } = await arrived('zh-CN', 'orchard');
    await add(page, 'height,kind,price\n5,ash,1\n6,ash,2\n7,oak,3\n8,beech,4\n');
    const added = '已添加 4 行。';
    expect(await told(page, added)).toEqual([
      added,
      '有 3 处的值不在任务列出的值之中，已按“其他值”处理：',
      'kind：“ash”（2 行，首次出现在第 2 行）',
      'kind：第 5 行的“beech”',
    ]);
    await page.getByText('3 个样本的“kind”不在任务列出的值之中').waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  it('trains, and the page asks the model by choosing a category', async () => {
    const plan = { rounds: 4, epochs: 20, batchSize: 8, learningRate: 0.1, minParticipants: 1, seed: 3 };
    const run = await world.coordinator.runs.create('orchard', plan, false);
    const { page, context, problems } = await person(browser, { acceptDownloads: true });
    await page.goto(`${world.url}/?run=${run.id}`);
    await add(page, file);
    const added = '60 rows added. 1 row skipped:';
    expect(await told(page, added)).toEqual([
      added,
      'kind: no value in row 62',
      '20 values are not in the task’s list and were taken as any other value:',
      'kind: “ash” in 20 rows, the first is row 4',
    ]);
    await perClass(page, 60);

    await consentAndStart(page);
    await world.coordinator.runs.act(run.id, 'start');
    await waitForAccepted(page, 4);
    const kind = page.getByLabel('kind', { exact: true });
    expect(await kind.locator('option').allTextContents()).toEqual(['oak', 'elm', 'Any other value']);
    await page.locator('#use').getByText('Of the tree.').waitFor();
    const after = page.getByTestId('prediction-after');
    const predicted = async () => Number.parseFloat((await after.textContent()) ?? '');
    for (const [chosen, price] of [
      ['elm', 50],
      ['Any other value', 100],
      ['oak', 150],
    ] as const) {
      await kind.selectOption(chosen);
      await expect.poll(async () => Math.abs((await predicted()) - price)).toBeLessThan(5);
    }
    expect(await after.textContent()).toMatch(/^\d+(\.\d+)? EUR$/);
    // Errors are those of prices, not of scaled ones.
    await page.getByRole('img', { name: /^Typical error by round, in EUR\./ }).waitFor();

    await page.getByText('Where they came from').click();
    const download = page.waitForEvent('download');
    await page.getByTestId('export').click();
    const text = readFileSync(await (await download).path(), 'utf8').split('\n');
    expect(text.slice(0, 4)).toEqual([
      '"kind","height","price"',
      '"oak",5,150',
      '"elm",6,50',
      '"other",7,100',
    ]);
    expect(problems).toEqual([]);
    await context.close();
  });

  it.each([
    [
      'en-US',
      ['kind', 'category', 'oak, elm, any other value'],
      ['price (EUR) (target)', 'number', '(value − 100) / 50'],
    ],
    ['zh-CN', ['kind', '类别', 'oak、elm、其他值'], ['price (EUR)（目标）', '数值', '（值 − 100）/ 50']],
  ])('is shown with its categories and scaling to the admin: %s', async (locale, category, target) => {
    const { page, context, problems } = await person(browser, { locale });
    await page.goto(`${world.coordinator.admin}#launch=orchard`);
    const table = page.getByTestId('task-columns');
    await table.waitFor();
    const cells = await Promise.all(
      (await table.locator('tbody tr').all()).map((row) => row.locator('th, td').allTextContents()),
    );
    expect(cells).toHaveLength(3);
    expect(cells[0]?.slice(0, 2)).toEqual(category.slice(0, 2));
    expect(cells[0]?.[2]).toContain(category[2]);
    expect(cells[2]?.slice(0, 3)).toEqual(target);
    expect(problems).toEqual([]);
    await context.close();
  });
});

describe('a task', () => {
  it('with one class twice is refused, saying which', async () => {
    const answer = await createTask('pets', ['cat', 'dog', ' cat']);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      error: {
        code: 'task-invalid',
        message: expect.stringContaining('classes 1 and 3, "cat" and " cat", are the same class'),
      },
    });
  });
});
