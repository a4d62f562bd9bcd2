import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { startWorld, type World } from './world.ts';

/* Who a browser is: a key pair that stays where it was made. */
let world: World;
let browser: Browser;
/** A name that is not this machine's own, so that browsers give pages under it no WebCrypto. */
const ELSEWHERE = 'coordinator.test';

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser([`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`]);
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** The one participant of a run, once it is there. */
function onlyParticipant(run: string): Promise<string> {
  const here = () =>
    world.coordinator.runs
      .engine(run)
      .participants()
      .filter(({ state }) => state !== 'away' && state !== 'left');
  return new Promise((resolve) => {
    const look = () => {
      const [row] = here();
      if (row === undefined) return;
      stop();
      resolve(row.id);
    };
    const stop = world.coordinator.runs.subscribe({
      runChanged: look,
      participantsChanged: look,
      roundChanged: () => {},
    });
    look();
  });
}

/** What lies in the page's database as its identity, and what the browser gives out of it. */
function identityIn(page: Page) {
  return page.evaluate(async () => {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('coppice');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const kept = await new Promise<CryptoKeyPair | Uint8Array>((resolve, reject) => {
      const request = db.transaction('keyval').objectStore('keyval').get('identity');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    db.close();
    if (kept instanceof Uint8Array) return { kind: 'bytes' as const, length: kept.length };
    const refusals: string[] = [];
    for (const format of ['jwk', 'pkcs8', 'raw'] as const)
      await crypto.subtle
        .exportKey(format, kept.privateKey)
        .catch((error: Error) => refusals.push(error.name));
    const point = await crypto.subtle.exportKey('raw', kept.publicKey);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', point));
    const id = Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { kind: 'keys' as const, extractable: kept.privateKey.extractable, refusals, id };
  });
}

it('is a key that nothing can read out of the browser, and the same after a reload', async () => {
  const run = await world.coordinator.runs.create('mnist-2nn', { rounds: 1, minParticipants: 9 }, false);
  const { page, context, problems } = await person(browser);
  await page.goto(`${world.url}/?run=${run.id}`);
  await addPictures(page, 1, await digitFiles(1, 3));
  expect(await page.getByTestId('open-key').count()).toBe(0);
  await consentAndStart(page);
  const id = await onlyParticipant(run.id);
  expect(await identityIn(page)).toEqual({
    kind: 'keys',
    extractable: false,
    refusals: ['InvalidAccessError', 'InvalidAccessError', 'InvalidAccessError'],
    id,
  });
  await page.reload();
  await page.getByTestId('status').first().waitFor();
  expect(await identityIn(page)).toMatchObject({ id });
  expect(await onlyParticipant(run.id)).toBe(id);
  expect(problems).toEqual([]);
  await context.close();
});

it('is kept by the page itself where browsers have no cryptography, and proves itself all the same', async () => {
  const run = await world.coordinator.runs.create('mnist-2nn', { rounds: 1, minParticipants: 9 }, false);
  const { page, context, problems } = await person(browser);
  const { port } = new URL(world.url);
  await page.goto(`http://${ELSEWHERE}:${port}/?run=${run.id}`);
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  // Said before anything is agreed to.
  expect(await page.getByTestId('open-key').textContent()).toContain('without HTTPS');
  await addPictures(page, 1, await digitFiles(1, 3));
  await consentAndStart(page);
  expect(await onlyParticipant(run.id)).toMatch(/^[0-9a-f]{32}$/);
  expect(await identityIn(page)).toEqual({ kind: 'bytes', length: 32 });
  // Chromium complains of a header that means nothing without HTTPS.
  expect(problems.filter((problem) => !problem.includes('Cross-Origin-Opener-Policy'))).toEqual([]);
  await context.close();
});
