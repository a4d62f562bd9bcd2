import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person, softwareWebgpu } from '../browser/launch.ts';
import { accepted, addPictures, consentAndStart, dataCount, waitForAccepted } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { startWorld, type World } from './world.ts';

/* What goes wrong on a person's own device, and what the page then says and keeps. */
let world: World;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), 'coppice-folder-'));
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const launch = (plan = {}) =>
  world.coordinator.runs.create(
    'mnist-2nn',
    { rounds: 500, minParticipants: 1, overSelection: 1, ...plan },
    true,
  );

/** Puts a piece of script before all others, in the page and in its worker; gives a way to change it. */
async function before(context: BrowserContext, first: string): Promise<(script: string) => void> {
  let script = first;
  await context.route('**/*.js', async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'cache-control': 'no-store' };
    await route.fulfill({ response, headers, body: `${script}\n${await response.text()}` });
  });
  return (next) => {
    script = next;
  };
}

const counted = (page: Page, wanted: number) =>
  page.waitForFunction(
    ([count]) =>
      Number(document.querySelector('[data-testid="data-count"]')?.textContent?.replace(/\D/g, '')) === count,
    [wanted],
  );
const perClass = (page: Page) =>
  page
    .locator('#data .drop .balance .balance-count')
    .evaluateAll((all) => all.map((one) => Number(one.textContent)));
const card = (page: Page, code: string) => page.locator(`[data-testid="error"][data-code="${code}"]`);

describe('a folder of folders', () => {
  /** `pictures/3`, `pictures/5/more`, and what belongs to no class. */
  async function pictures(): Promise<string> {
    const root = join(folder, 'pictures');
    const put = async (path: string, digit: number, count: number) => {
      mkdirSync(join(root, path), { recursive: true });
      for (const { name, buffer } of await digitFiles(digit, count))
        writeFileSync(join(root, path, name), buffer);
    };
    await put('3', 3, 4);
    await put('5/more', 5, 6);
    await put('somewhere', 1, 2);
    writeFileSync(join(root, '3', 'notes.txt'), 'no picture');
    writeFileSync(join(root, '5', 'broken.png'), 'no picture either');
    return root;
  }
  const arrived = async () => {
    const someone = await person(browser);
    await someone.page.goto(`${world.url}/?run=${(await launch({ minParticipants: 2 })).id}`);
    await someone.page.getByTestId('folder-input').waitFor({ state: 'attached' });
    return someone;
  };
  const told = async (page: Page) => {
    await counted(page, 10);
    expect(await perClass(page)).toEqual([0, 0, 0, 4, 0, 6, 0, 0, 0, 0]);
    const status = page.locator('.drop [role="status"]', { hasText: '10 added' });
    await status.waitFor();
    const text = (await status.textContent()) ?? '';
    expect(text).toMatch(
      /^10 added\. 2 skipped, because their folders are not named after a class: “somewhere” \(2, such as .*somewhere\/[^)]+\)\. 1 could not be read as pictures:$/,
    );
    expect(await page.getByTestId('unreadable').locator('li').allTextContents()).toEqual([
      'broken.png: damaged, or in a format that this browser does not know',
    ]);
  };

  it('becomes classes by way of the button', async () => {
    const { page, context, problems } = await arrived();
    await page.getByTestId('folder-input').setInputFiles(await pictures());
    await told(page);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('becomes classes when it is dropped', async () => {
    const { page, context, problems } = await arrived();
    const area = page.locator('#data .drop');
    await area.scrollIntoViewIfNeeded();
    const box = await area.boundingBox();
    if (box === null) throw new Error('there is nowhere to drop');
    // The browser's own drag of a folder of this machine: a script cannot make one.
    const cdp = await context.newCDPSession(page);
    const data = { items: [], files: [await pictures()], dragOperationsMask: 1 };
    const at = { x: box.x + box.width / 2, y: box.y + 40 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await cdp.send('Input.dispatchDragEvent', { type, ...at, data });
    await told(page);
    expect(problems).toEqual([]);
    await context.close();
  });
});

describe('storage', () => {
  it.each(['en-US', 'zh-CN'])('that is full is told, and loses nothing: %s', async (locale) => {
    const { page, context } = await person(browser, {
      locale,
      serviceWorkers: 'block',
      viewport: { width: 390, height: 700 },
    });
    const cdp = await context.newCDPSession(page);
    const origin = new URL(world.url).origin;
    // Room for some pictures, and not for two thousand of 784 bytes each.
    await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
    await page.goto(`${world.url}/?run=${(await launch({ minParticipants: 2 })).id}`);
    await addPictures(page, 2, await digitFiles(2, 12));
    await page.getByTestId('sample-size').selectOption('2000');
    await page.getByTestId('add-sample').click();
    await card(page, 'storage-full').waitFor();
    expect(/[\u4e00-\u9fff]/.test((await card(page, 'storage-full').textContent()) ?? '')).toBe(
      locale === 'zh-CN',
    );
    // Whoever pressed a button far down the page sees what came of it.
    await page.waitForFunction(() => {
      const box = document.querySelector('.notices .error-card')?.getBoundingClientRect();
      return box !== undefined && box.top >= 0 && box.top < innerHeight;
    });
    expect(await dataCount(page)).toBe(12);
    await page.reload();
    await counted(page, 12);
    // With room again, it goes on where it was.
    await cdp.send('Storage.overrideQuotaForOrigin', { origin });
    await addPictures(page, 2, await digitFiles(2, 3, 20));
    expect(await dataCount(page)).toBe(15);
    await context.close();
  });
});

describe('a coordinator that refuses', () => {
  /** As if the page spoke another protocol, or were nobody: its greeting is changed on the way out. */
  const greeting = (from: string, to: string) => `
    if (!globalThis.greets) {
      globalThis.greets = true;
      for (const { prototype } of [WebSocket, XMLHttpRequest]) {
        const send = prototype.send;
        prototype.send = function (data) {
          return send.call(this, typeof data === 'string' ? data.replace(${from}, '${to}') : data);
        };
      }
    }`;

  it.each([
    ['protocol-too-old', greeting('/"protocol":\\d+/', '"protocol":1')],
    ['protocol-too-new', greeting('/"protocol":\\d+/', '"protocol":999')],
    ['identity-invalid', greeting('/"key":"[\\w-]+"/', '"key":"nobody"')],
  ])('says %s, and keeps the examples', async (code, script) => {
    const run = await launch({ minParticipants: 2 });
    const { page, context } = await person(browser, { serviceWorkers: 'block' });
    const change = await before(context, '');
    await page.goto(`${world.url}/?run=${run.id}`);
    await addPictures(page, 2, await digitFiles(2, 5));
    change(script);
    await page.reload();
    await card(page, code).waitFor();
    await page.locator('[data-testid="connection"][data-connection="refused"]').waitFor();
    await counted(page, 5);
    expect(await page.getByTestId('start').isEnabled()).toBe(false);
    if (code === 'protocol-too-old') {
      expect(await card(page, code).textContent()).toMatch(/Reload the page to update it/);
      // The newer page is there by now; the button fetches it.
      change('');
      await card(page, code).getByRole('button', { name: 'Reload the page' }).click();
      await page.locator('[data-testid="connection"][data-connection="online"]').waitFor();
      await counted(page, 5);
      expect(await card(page, code).count()).toBe(0);
    }
    await context.close();
  });
});

describe('a page that was opened before there was a newer one', () => {
  it('says so where its part that trains is gone, keeps the examples, and trains when it is loaded anew', async () => {
    const run = await launch();
    const { page, context } = await person(browser, { serviceWorkers: 'block' });
    await page.goto(`${world.url}/?run=${run.id}`);
    await addPictures(page, 1, await digitFiles(1, 10));
    // What the page has loaded until now it has; what it loads to train is there no more.
    await context.route('**/*.js', (route) => route.fulfill({ status: 404, body: 'gone' }));
    await consentAndStart(page);
    await card(page, 'backend-unavailable').waitFor();
    await context.unroute('**/*.js');
    await page.reload();
    await counted(page, 10);
    if (await page.getByTestId('start').isVisible()) await page.getByTestId('start').click();
    await waitForAccepted(page, 1);
    await context.close();
    await world.coordinator.runs.act(run.id, 'stop');
  });
});

describe('a graphics processor', () => {
  let withWebgpu: Browser;
  beforeAll(async () => {
    withWebgpu = await launchBrowser(softwareWebgpu);
  });
  afterAll(() => withWebgpu?.close());

  it.each(['webgl', 'webgpu'])(
    'that is taken away in the middle of a round costs the round nothing: %s',
    async (backend) => {
      const run = await launch({ epochs: 10, batchSize: 1 });
      const { page, context } = await person(withWebgpu, { serviceWorkers: 'block' });
      await before(
        context,
        `if (globalThis.OffscreenCanvas && !globalThis.graphics) {
        globalThis.graphics = [];
        const request = globalThis.GPUAdapter?.prototype.requestDevice;
        if (request) GPUAdapter.prototype.requestDevice = async function (...asked) {
          const device = await request.apply(this, asked);
          graphics.push(device);
          return device;
        };
        const get = OffscreenCanvas.prototype.getContext;
        OffscreenCanvas.prototype.getContext = function (...asked) {
          const context = get.apply(this, asked);
          if (/webgl/.test(asked[0]) && context) graphics.push(context);
          return context;
        };
      }`,
      );
      // Not the fastest here, where there is no real graphics processor; the person may insist on it.
      await context.addInitScript(
        (name) => localStorage.setItem('coppice.backend', JSON.stringify(name)),
        backend,
      );
      await page.goto(`${world.url}/?run=${run.id}`);
      await addPictures(page, 1, await digitFiles(1, 10));
      await addPictures(page, 4, await digitFiles(4, 10));
      await consentAndStart(page);
      await page.locator('[data-testid="status"][data-activity="training"]').waitFor();
      await page.waitForFunction(
        (name) => document.querySelector('[data-testid="backend"]')?.getAttribute('data-backend') === name,
        backend,
      );
      const counts = await Promise.all(
        page.workers().map((worker) =>
          worker.evaluate(() => {
            const { graphics = [] } = globalThis as unknown as {
              graphics?: (WebGLRenderingContext | GPUDevice)[];
            };
            for (const one of graphics) {
              if ('destroy' in one) one.destroy();
              else one.getExtension('WEBGL_lose_context')?.loseContext();
            }
            return graphics.length;
          }),
        ),
      );
      expect(counts.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0);
      await page.getByTestId('fallback').waitFor();
      expect(await page.getByTestId('backend').first().textContent()).toMatch(/wasm|webassembly/i);
      await waitForAccepted(page, 2);
      const rounds = await world.coordinator.storage.rounds(run.id);
      // Not one of them was abandoned or missed.
      expect(rounds.map(({ outcome }) => outcome)).toEqual(rounds.map(() => 'committed'));
      expect(await accepted(page)).toBeGreaterThanOrEqual(2);
      await context.close();
      await world.coordinator.runs.act(run.id, 'stop');
    },
  );
});

describe('a second tab', () => {
  it('takes the training over when told to, with examples and agreement; the first says so', async () => {
    const run = await launch();
    const { page, context } = await person(browser);
    await page.goto(`${world.url}/?run=${run.id}`);
    await addPictures(page, 1, await digitFiles(1, 15));
    await consentAndStart(page);
    await waitForAccepted(page, 1);
    const other = await context.newPage();
    await other.goto(`${world.url}/?run=${run.id}`);
    await other.getByTestId('use-this-tab').click();
    await page.getByTestId('second-tab').waitFor();
    await counted(other, 15);
    await waitForAccepted(other, 1);
    // One participant, not two.
    expect(world.coordinator.runs.get(run.id).participants).toBe(1);
    // And back, by itself, when that tab is closed.
    await other.close();
    await waitForAccepted(page, 1);
    await context.close();
    await world.coordinator.runs.act(run.id, 'stop');
  });
});
