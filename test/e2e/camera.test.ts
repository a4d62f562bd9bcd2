import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, type Person, person } from '../browser/launch.ts';
import { dataCount, keptExamples } from './client-page.ts';
import { findExamples, record } from './recorder.ts';
import { startWorld, type World } from './world.ts';

const TWO_CAMERAS = '--use-fake-device-for-media-stream=device-count=2';
const ALLOWED = '--use-fake-ui-for-media-stream';

let world: World;
let browser: Browser;
let run: string;

beforeAll(async () => {
  world = await startWorld();
  ({ id: run } = await world.coordinator.runs.create(
    'mnist-2nn',
    { rounds: 5, minParticipants: 2, overSelection: 1 },
    true,
  ));
  browser = await launchBrowser([TWO_CAMERAS, ALLOWED]);
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** Keeps every track that the page is given, so that a test can see whether the camera's light is on. */
async function watchTracks(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const tracks: MediaStreamTrack[] = [];
    Object.assign(globalThis, { tracks });
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
}
const lights = (page: Page) =>
  page.evaluate(() =>
    (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.map(({ kind, readyState }) =>
      [kind, readyState].join(' '),
    ),
  );

/** Waits until each of the tracks that the page was given has ended: that takes until after the next frame. */
const dark = (page: Page, tracks: number) =>
  page.waitForFunction((given) => {
    const all = (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks;
    return all.length === given && all.every(({ readyState }) => readyState === 'ended');
  }, tracks);

async function arrive(options: Parameters<typeof person>[1] = {}, url = world.url): Promise<Person> {
  const someone = await person(browser, options);
  await watchTracks(someone.context);
  await someone.page.goto(`${url}/?run=${run}`);
  await someone.page.getByTestId('camera-open').waitFor();
  return someone;
}

async function open(page: Page): Promise<void> {
  await page.getByTestId('camera-open').click();
  await page.waitForFunction(
    () =>
      (document.querySelector<HTMLVideoElement>('[data-testid="camera-video"]')?.currentTime ?? 0) > 0 &&
      document.querySelector('.camera-views canvas') !== null,
  );
}

/** Waits for so many in a class's bucket. */
const counted = (page: Page, label: number, atLeast: number) =>
  page.waitForFunction(
    ([at, wanted]) =>
      Number(document.querySelector(`[data-testid="camera-count-${at}"]`)?.textContent) >= (wanted as number),
    [label, atLeast],
  );
/** Waits until all that the buckets count is kept, and gives it. */
const settled = async (page: Page) => {
  const handle = await page.waitForFunction(() => {
    const number = (one: Element | null) => Number(one?.textContent?.replace(/\D/g, ''));
    const buckets = [...document.querySelectorAll('[data-testid^="camera-count-"]')].map(number);
    const kept = number(document.querySelector('[data-testid="data-count"]'));
    return buckets.reduce((sum, one) => sum + one, 0) === kept && buckets;
  });
  return (await handle.jsonValue()) as number[];
};

describe('the camera', () => {
  it('asks only when told to, fills the chosen class while held, and is off after stop', async () => {
    const wire = await record(world.url);
    const { page, context, problems } = await arrive({}, wire.url);
    expect(await lights(page)).toEqual([]);
    await open(page);
    expect(await lights(page)).toEqual(['video live']);
    expect(await dataCount(page)).toBe(0);

    // By keyboard: the button has the focus, a digit chooses the class, Space is held.
    await page.keyboard.press('7');
    await page.keyboard.down('Space');
    await counted(page, 7, 4);
    await page.keyboard.up('Space');
    const first = await settled(page);
    expect(first.map((count, label) => (count > 0 ? label : null)).filter((one) => one !== null)).toEqual([
      7,
    ]);
    expect(await page.getByTestId('camera-told').textContent()).toMatch(/^\d+ pictures? captured as “7”/);

    // By pointer, while another control has the focus; then one by Enter.
    await page.getByTestId('camera-class-3').check({ force: true });
    await page.getByTestId('camera-hold').hover();
    await page.mouse.down();
    await counted(page, 3, 3);
    await page.mouse.up();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await counted(page, 4, 1);
    const all = await settled(page);
    expect(all[7]).toBe(first[7]);
    expect(all[4]).toBe(1);

    await page.getByTestId('camera-stop').click();
    await dark(page, 1);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe(
      'camera-open',
    );

    const total = all.reduce((sum, one) => sum + one, 0);
    await page.reload();
    await page.waitForFunction(
      ([wanted]) =>
        Number(document.querySelector('[data-testid="data-count"]')?.textContent?.replace(/\D/g, '')) ===
        wanted,
      [total],
    );
    const examples = (await keptExamples(page)).map((one) => Uint8Array.from(one));
    expect(examples).toHaveLength(total);
    // The camera's picture is something, and none of it was sent.
    expect(examples.every((one) => one.length === 784 && new Set(one).size > 10)).toBe(true);
    expect(findExamples(wire.sent(), examples)).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
    await wire.close();
  });

  it('goes off when the page is out of sight, and when the person goes elsewhere', async () => {
    const { page, context } = await arrive();
    await open(page);
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.getByTestId('camera-open').waitFor();
    await dark(page, 1);
    await page.evaluate(() => Reflect.deleteProperty(document, 'hidden'));
    await open(page);
    // Another tab takes over: the panel is gone, and the camera with it.
    const other = await context.newPage();
    await other.goto(`${world.url}/?run=${run}`);
    await other.getByTestId('use-this-tab').click();
    await page.getByTestId('second-tab').waitFor();
    await dark(page, 2);
    await context.close();
  });

  it('changes between cameras where there is more than one', async () => {
    const { page, context } = await arrive();
    await open(page);
    const which = () =>
      page.evaluate(
        () => (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.at(-1)?.getSettings().deviceId,
      );
    const before = await which();
    await page.getByTestId('camera-switch').click();
    await page.waitForFunction(
      () => (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.length === 2,
    );
    expect(await which()).not.toBe(before);
    expect(await lights(page)).toEqual(['video ended', 'video live']);
    await context.close();
  });

  it('says so when it stops by itself', async () => {
    const { page, context } = await arrive();
    await open(page);
    // As when it is unplugged; `stop` by the page tells no one.
    await page.evaluate(() =>
      (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks[0]?.dispatchEvent(new Event('ended')),
    );
    await page.locator('[data-testid="error"][data-code="camera-failed"]').waitFor();
    await dark(page, 1);
    await context.close();
  });

  it.each([
    ['light', 'en-US', 320],
    ['dark', 'zh-CN', 390],
    ['light', 'en-US', 1280],
  ] as const)(
    'is open to everyone, and within the page: %s, %s, %i px',
    async (colorScheme, locale, width) => {
      const { page, context } = await arrive({ colorScheme, locale, viewport: { width, height: 900 } });
      await open(page);
      const { violations } = await new AxeBuilder({ page })
        .include('[data-testid="camera"]')
        .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
        .analyze();
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`),
      ).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      const small = await page
        .locator('[data-testid="camera"] .bucket, [data-testid="camera"] button')
        .evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 44).length);
      expect(small).toBe(0);
      await context.close();
    },
  );
});

describe('without a camera', () => {
  it.each([
    ['was refused', ['--use-fake-device-for-media-stream', `${ALLOWED}=deny`], 'camera-denied', 'en-US'],
    ['was refused', ['--use-fake-device-for-media-stream', `${ALLOWED}=deny`], 'camera-denied', 'zh-CN'],
    ['has none', [ALLOWED], 'camera-missing', 'en-US'],
  ])('a card says that the page %s', async (_, flags, code, locale) => {
    const own = await launchBrowser(flags);
    try {
      const { page } = await person(own, { locale, viewport: { width: 320, height: 800 } });
      await page.goto(`${world.url}/?run=${run}`);
      await page.getByTestId('camera-open').click();
      const card = page.locator(`[data-testid="camera"] [data-code="${code}"]`);
      await card.waitFor();
      expect(/[\u4e00-\u9fff]/.test((await card.textContent()) ?? '')).toBe(locale === 'zh-CN');
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      // Nothing is stuck: it can be asked again.
      expect(await page.getByTestId('camera-open').isEnabled()).toBe(true);
    } finally {
      await own.close();
    }
  });
});
