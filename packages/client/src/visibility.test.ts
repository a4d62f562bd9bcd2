import { afterEach, expect, it, vi } from 'vitest';
import { pageVisibility } from './visibility.ts';

afterEach(() => vi.unstubAllGlobals());

/** A document that is hidden. */
function hiddenPage(): EventTarget & { visibilityState: string } {
  const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  vi.stubGlobal('document', page);
  return page;
}

/** Whether a promise is settled once everything that can go on has gone on. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

it('waits until a hidden page is seen', async () => {
  const page = hiddenPage();
  const seen = pageVisibility.seen(new AbortController().signal);
  page.dispatchEvent(new Event('visibilitychange'));
  expect(await isSettled(seen)).toBe(false);
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  await seen;
  await pageVisibility.seen(new AbortController().signal);
});

it('does not wait in a hidden page that closes its client, nor in a worker', async () => {
  hiddenPage();
  const closing = new AbortController();
  const seen = pageVisibility.seen(closing.signal);
  closing.abort();
  await seen;
  vi.unstubAllGlobals();
  await pageVisibility.seen(new AbortController().signal);
});
