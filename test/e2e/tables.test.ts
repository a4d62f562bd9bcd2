import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { consentAndStart, waitForAccepted } from './client-page.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* Files of tables on the client page: what was guessed and corrected, columns, labels, and files that are none. */
let world: World;
let browser: Browser;

const number = (name: string) => ({ name, mean: 0, scale: 1 });

async function createTask(id: string, data: object, inputs: number, classes: number): Promise<void> {
  const config = {
    name: 'dense',
    units: classes,
    activation: 'softmax',
    use_bias: true,
    batch_input_shape: [null, inputs],
  };
  const { status } = await fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      id,
      title: { en: id },
      description: { en: id },
      data,
      model: { class_name: 'Sequential', config: { name: id, layers: [{ class_name: 'Dense', config }] } },
    }),
  });
  expect(status).toBe(201);
}

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  await createTask(
    'melons',
    {
      kind: 'table',
      features: [number('密度'), number('含糖率')],
      target: { kind: 'class', name: '好瓜', classes: ['0', '1'] },
    },
    2,
    2,
  );
  await createTask(
    'fruit',
    {
      kind: 'table',
      features: [number('length'), number('width')],
      target: { kind: 'class', name: 'kind', classes: ['apple', 'pear'] },
    },
    2,
    2,
  );
  await createTask(
    'wide',
    {
      kind: 'table',
      features: Array.from({ length: 2000 }, (_, at) => number(`pixel${at}`)),
      target: { kind: 'class', name: 'label', classes: ['0', '1'] },
    },
    2000,
    2,
  );
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

async function arrived(task: string, locale = 'en-US', minParticipants = 2) {
  const plan = { minParticipants, rounds: 3, learningRate: 0.01 };
  const run = await world.coordinator.runs.create(task, plan, true);
  const someone = await person(browser, { locale });
  await someone.page.goto(`${world.url}/?run=${run.id}`);
  return { ...someone, run };
}

async function choose(page: Page, ...files: readonly (readonly [name: string, content: string | Buffer])[]) {
  await page.getByTestId('csv-input').setInputFiles(
    files.map(([name, content]) => ({
      name,
      mimeType: name.endsWith('.csv') ? 'text/csv' : 'application/octet-stream',
      buffer: Buffer.from(content as string),
    })),
  );
}

const counted = (page: Page, count: number) =>
  page.waitForFunction(
    (wanted) => document.querySelector('[data-testid="data-count"]')?.textContent?.trim() === wanted,
    String(count),
  );
const fits = (page: Page, sentence: string) =>
  page.getByTestId('table-fit').getByText(sentence, { exact: true }).waitFor();

describe('a file', () => {
  it('of a Chinese spreadsheet is read by its names', async () => {
    const { page, context, problems } = await arrived('melons', 'zh-CN');
    const gbk = readFileSync(
      new URL('../cases/csv/gbk-with-id-first-and-numeric-classes.csv', import.meta.url),
    );
    await choose(page, ['西瓜.csv', gbk]);
    await fits(page, '全部 4 行都可用。');
    expect(await page.getByTestId('table-read-as').textContent()).toBe(
      '读取方式：GB18030、以逗号分隔、有列名',
    );
    expect(await page.getByTestId('table-found').textContent()).toBe('已按列名找到全部 3 列。');
    await page.getByTestId('csv-add').click();
    await counted(page, 4);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('is read in another way where the guess is wrong', async () => {
    const { page, context, problems } = await arrived('fruit');
    await choose(page, ['fruit.csv', 'length;width;kind\n1.234;2;apple\n5.678;3;pear\n']);
    await page.getByTestId('table-fit').getByText('All 2 rows fit.').waitFor();
    await page.getByTestId('table-reading').locator('summary').click();
    const decimal = page.getByLabel('Decimal sign');
    const sign = await decimal.inputValue();
    await decimal.selectOption(sign === '.' ? ',' : '.');
    await expect.poll(() => decimal.inputValue()).toBe(sign === '.' ? ',' : '.');
    await page.getByTestId('table-fit').getByText(/fit/).first().waitFor();
    // Without a header the columns have to be chosen, or taken in the task's order.
    await page.getByTestId('table-header').uncheck();
    await page.getByTestId('table-found').getByText('No column was found by its name.').waitFor();
    expect(await page.getByTestId('csv-add').isDisabled()).toBe(true);
    await page.getByTestId('table-in-order').click();
    await page.getByTestId('table-fit').getByText('2 of 3 rows fit.').waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  it('of another kind is refused by name, and the next one is opened', async () => {
    const { page, context } = await arrived('fruit');
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
    await choose(page, ['photo.png', png], ['fruit.csv', 'length,width,kind\n1,2,apple\n']);
    await fits(page, 'The row fits.');
    const refused = page.getByTestId('table-refused');
    await refused.getByText('photo.png was not added.').waitFor();
    await refused.getByText(/PNG/).waitFor();
    await page.getByTestId('csv-add').click();
    await counted(page, 1);
    // It is still said what became of the first.
    await refused.waitFor();
    await context.close();
  });

  it('comes after another, and both are told', async () => {
    const { page, context, problems } = await arrived('fruit');
    await choose(
      page,
      ['one.csv', 'length,width,kind\n1,2,apple\n3,4,pear\n'],
      ['two.csv', 'length,width,kind\n5,6,apple\n7,8,plum\n'],
    );
    await fits(page, 'All 2 rows fit.');
    await page.getByText('1 more file after this one').waitFor();
    await page.getByTestId('csv-add').click();
    await fits(page, '1 of 2 rows fit.');
    await page.getByTestId('csv-add').click();
    await counted(page, 3);
    await page.getByText('File: one.csv').waitFor();
    await page.getByText('1 row added. 1 row skipped:').waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  it('of 2,000 columns shows few of them, and a page of others', async () => {
    const { page, context, problems } = await arrived('wide');
    const names = Array.from({ length: 2000 }, (_, at) => `pixel${at}`);
    const row = (label: number) => [label, ...names.map((_, at) => (at * 7) % 256)].join(',');
    const text = (first: readonly string[]) => [first.join(','), row(0), row(1)].join('\n');
    const nodes = () => page.evaluate(() => document.querySelectorAll('*').length);
    await page.getByText('Columns 1–40 of 2,000').waitFor();
    const before = await nodes();
    await choose(page, ['wide.csv', text(['label', ...names])]);
    await fits(page, 'All 2 rows fit.');
    await page.getByText('All 2,001 columns were found by their names.').waitFor();
    expect((await nodes()) - before).toBeLessThan(400);
    await page.getByRole('button', { name: 'Cancel' }).click();

    // Names of which none is the task's: each can be chosen by typing.
    await choose(page, ['wide.csv', text(['label', ...names.map((name) => `x${name}`)])]);
    await page.getByText('1 of 2,001 columns were found by their names. Choose the others:').waitFor();
    expect((await nodes()) - before).toBeLessThan(3000);
    await page.getByLabel('Name of the column for “pixel0”').fill('xpixel0');
    await page.getByRole('button', { name: 'Next', exact: true }).click();
    await page.getByText('21–40 of 2,000').waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });
});

describe('asking the model', () => {
  it('takes rows of a file, and asks with their exact numbers', async () => {
    const { page, context, problems } = await arrived('fruit');
    await page.getByTestId('predict-file').setInputFiles({
      name: 'ask.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('width,length\n88073,47.620125\n2,0.1\n'),
    });
    const rows = page.getByTestId('predict-rows');
    await rows.getByText('Row 1 of 2').waitFor();
    const length = page.getByLabel('length', { exact: true });
    const width = page.getByLabel('width', { exact: true });
    expect([await length.inputValue(), await width.inputValue()]).toEqual(['47.620125', '88073']);
    await rows.getByRole('button', { name: 'Next row' }).click();
    await rows.getByText('Row 2 of 2').waitFor();
    expect([await length.inputValue(), await width.inputValue()]).toEqual(['0.1', '2']);

    await choose(page, ['one.csv', 'length,width,kind\n47.620125,88073,apple\n']);
    await page.getByTestId('csv-add').click();
    await counted(page, 1);
    await page.getByTestId('predict-own').click();
    await expect.poll(() => length.inputValue()).toBe('47.620125');
    expect(problems).toEqual([]);
    await context.close();
  });
});

describe('labels', () => {
  it('that are no classes are shown, mapped by the person, and remembered for the next file', async () => {
    const { page, context, problems } = await arrived('fruit');
    await choose(page, ['a.csv', 'length,width,kind\n1,2,Apfel\n3,4,Birne\n5,6,Birne\n7,8,PEAR\n']);
    await fits(page, '1 of 4 rows fit.');
    const labels = page.getByTestId('table-labels');
    expect(
      await labels
        .locator('tbody tr')
        .evaluateAll((rows) => rows.map((row) => row.querySelector('th')?.textContent)),
    ).toEqual(['Birne', 'Apfel', 'PEAR']);
    // A class that was found by another spelling is shown as well.
    expect(await labels.getByLabel('Class for “PEAR”').inputValue()).toBe('pear');
    await labels.getByLabel('Class for “Apfel”').selectOption('apple');
    await fits(page, '2 of 4 rows fit.');
    await labels.getByLabel('Class for “Birne”').selectOption('pear');
    await fits(page, 'All 4 rows fit.');
    await page.getByTestId('csv-add').click();
    await counted(page, 4);

    await page.reload();
    await choose(page, ['b.csv', 'length,width,kind\n1,2,Apfel\n3,4,Birne\n']);
    await fits(page, 'All 2 rows fit.');
    await labels.getByText('Your choice of last time is filled in.').waitFor();
    await labels.getByLabel('Class for “Apfel”').selectOption('left out');
    await fits(page, '1 of 2 rows fit.');
    expect(problems).toEqual([]);
    await context.close();
  });

  it('of two spellings train one model', async () => {
    const plan = { minParticipants: 2, rounds: 3, learningRate: 0.01 };
    const run = await world.coordinator.runs.create('fruit', plan, true);
    const spellings = [
      ['apple', 'pear'],
      ['Apple', '梨'],
    ] as const;
    const people = await Promise.all(
      spellings.map(async ([apple, pear]) => {
        const someone = await person(browser, { locale: 'en-US' });
        await someone.page.goto(`${world.url}/?run=${run.id}`);
        const rows = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? `9,1,${apple}` : `1,9,${pear}`));
        await choose(someone.page, ['fruit.csv', ['length,width,kind', ...rows].join('\n')]);
        if (pear === '梨') {
          await fits(someone.page, '10 of 20 rows fit.');
          await someone.page.getByLabel('Class for “梨”').selectOption('pear');
        }
        await fits(someone.page, 'All 20 rows fit.');
        await someone.page.getByTestId('csv-add').click();
        await counted(someone.page, 20);
        await consentAndStart(someone.page);
        return someone;
      }),
    );
    for (const { page } of people) await waitForAccepted(page, 3);
    for (const { page, context, problems } of people) {
      await page.getByLabel('length', { exact: true }).fill('9');
      await page.getByLabel('width', { exact: true }).fill('1');
      await expect
        .poll(async () => (await page.getByTestId('prediction-after').textContent()) ?? '')
        .toMatch(/apple/);
      expect(problems).toEqual([]);
      await context.close();
    }
  });
});
