import { expect, it } from 'vitest';
import { PageVisibility } from './page-visibility.ts';

/** Whether a promise is settled after all that waits for nothing. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  const later = new Promise((resolve) => setImmediate(resolve, 'later'));
  return (await Promise.race([promise.then(() => 'settled'), later])) === 'settled';
}

it('is seen until the page says otherwise, and waits until it is seen again', async () => {
  const visibility = new PageVisibility();
  const { signal } = new AbortController();
  expect(await isSettled(visibility.seen(signal))).toBe(true);
  visibility.set(false);
  const seen = visibility.seen(signal);
  expect(await isSettled(seen)).toBe(false);
  visibility.set(true);
  expect(await isSettled(seen)).toBe(true);
});

it('waits no longer than its signal', async () => {
  const visibility = new PageVisibility();
  visibility.set(false);
  const end = new AbortController();
  const seen = visibility.seen(end.signal);
  end.abort();
  expect(await isSettled(seen)).toBe(true);
  expect(await isSettled(visibility.seen(end.signal))).toBe(true);
});
