import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
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

const createTask = (id: string, classes: readonly string[]) =>
  fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(task(id, classes)),
  });

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  expect((await createTask('seeds', ['1', '2', '3'])).status).toBe(201);
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** A page at a run of seeds that waits for more participants. */
async function arrived(locale: string) {
  const run = await world.coordinator.runs.create('seeds', { minParticipants: 2 }, true);
  const someone = await person(browser, { locale });
  await someone.page.goto(`${world.url}/?run=${run.id}`);
  return someone;
}

async function add(page: Page, text: string): Promise<void> {
  await page
    .getByTestId('csv-input')
    .setInputFiles({ name: 'seeds.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
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
      ['No rows added. 2 rows skipped:', 'area: not a number in 2 rows, such as “15,2” in row 2'],
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
      ['未添加任何行。已跳过 2 行：', 'area：2 行不是数字，例如第 2 行的“15,2”'],
    ],
  ])(
    'is taken by the names of its classes, and the rest is counted by reason: %s',
    async (locale, added, reasons, classes, nothing) => {
      const { page, context, problems } = await arrived(locale);
      await add(page, 'area,kind\n15.2,1.0\n14.1,2.0\n13,3.0\n12.9,0\n12.8,0\n12.7,10\n,1\n');
      expect(await told(page, added)).toEqual([added, ...reasons, classes]);
      await perClass(page, 3);

      await add(page, 'area;kind\n15,2;1\n14,1;2\n');
      expect(await told(page, nothing[0] as string)).toEqual(nothing);
      // The columns can still be corrected.
      expect(await page.getByTestId('csv-add').isVisible()).toBe(true);
      await perClass(page, 3);
      expect(problems).toEqual([]);
      await context.close();
    },
  );
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
