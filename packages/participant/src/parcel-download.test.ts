import { ManualClock } from '@coppice/ports';
import { CoppiceError, SILENCE_TIMEOUT } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { ParcelDownload } from './parcel-download.ts';
import { broken, type Step, scriptedSource } from './parcel-source.testing.ts';

const wanted = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
const address = { run: 'r-1', hash: 'a'.repeat(64), codec: 'float32', bytes: 10 } as const;
const pass = { participant: 'b'.repeat(32), ticket: 't1-1.seal' };
const part = (from: number, to = 10) => wanted.slice(from, to);

function world(...steps: Step[]) {
  const source = scriptedSource(...steps);
  const clock = new ManualClock();
  const download = new ParcelDownload({ source, clock });
  const incoming = { payload: new Uint8Array(10), bytes: 0 };
  const abort = new AbortController();
  const heard: number[] = [];
  const complete = () =>
    download.complete(address, incoming, {
      pass,
      signal: abort.signal,
      onBytes: () => heard.push(incoming.bytes),
    });
  const froms = () => source.asked.map(({ from }) => from);
  return { download, complete, incoming, clock, abort, heard, source, froms };
}

/** Lets what is pending go on until it waits for the clock. */
const settle = () => new Promise(setImmediate);

it('goes on at once from the byte where the line broke', async () => {
  const w = world(
    { bytes: part(0, 3), end: broken() },
    { bytes: part(3, 7), end: broken() },
    { bytes: part(7) },
  );
  expect(await w.complete()).toBe(true);
  expect(w.incoming.payload).toEqual(wanted);
  expect([w.froms(), w.heard]).toEqual([
    [0, 3, 7],
    [3, 7, 10],
  ]);
  expect(w.source.asked[1]).toMatchObject({ address, pass });
});

it('waits longer each time that nothing came, and then leaves the rest to another way', async () => {
  const w = world(
    { bytes: part(0, 3), end: broken() },
    ...Array.from({ length: 4 }, () => ({ end: broken() })),
  );
  const done = w.complete();
  for (const [i, pause] of [500, 1000, 2000].entries()) {
    await settle();
    w.clock.advance(pause - 1);
    await settle();
    expect(w.froms()).toHaveLength(2 + i);
    w.clock.advance(1);
  }
  expect(await done).toBe(false);
  expect([w.froms(), w.incoming.bytes]).toEqual([[0, 3, 3, 3, 3], 3]);
  // A line that broke: this way did work.
  w.download.otherWayWorked();
  expect(w.download.usable).toBe(true);
});

it('is of no use where nothing ever came, and the same came another way', async () => {
  const w = world(...Array.from({ length: 4 }, () => ({ end: broken() })));
  const done = w.complete();
  for (let i = 0; i < 3; i++) {
    await settle();
    w.clock.advance(5000);
  }
  expect(await done).toBe(false);
  expect(w.download.usable).toBe(true);
  w.download.otherWayWorked();
  expect(w.download.usable).toBe(false);
});

it.each(['not-found', 'forbidden', 'unauthorized', 'message-invalid', 'run-not-admitted'] as const)(
  'is of no use for the session after %s',
  async (code) => {
    const w = world({ bytes: part(0, 3), end: new CoppiceError(code, 'Refused.') });
    expect(await w.complete()).toBe(false);
    expect([w.download.usable, w.froms(), w.incoming.bytes]).toEqual([false, [0], 3]);
  },
);

it('leaves one parcel to another way where its ticket has ended', async () => {
  const w = world({ end: new CoppiceError('ticket-invalid', 'Over.') });
  expect(await w.complete()).toBe(false);
  expect(w.download.usable).toBe(true);
});

it('passes on that the parcel was replaced', async () => {
  const w = world({ end: new CoppiceError('checkpoint-unknown', 'Gone.') });
  await expect(w.complete()).rejects.toMatchObject({ code: 'checkpoint-unknown' });
  expect(w.download.usable).toBe(true);
});

it('takes a line that says nothing for broken', async () => {
  const w = world({ bytes: part(0, 4), end: 'hang' }, { bytes: part(4) });
  const done = w.complete();
  await settle();
  w.clock.advance(SILENCE_TIMEOUT - 1);
  await settle();
  expect(w.froms()).toEqual([0]);
  w.clock.advance(1);
  expect(await done).toBe(true);
  expect([w.froms(), w.incoming.payload]).toEqual([[0, 4], wanted]);
});

it('stops within an answer and within a pause', async () => {
  for (const step of [{ end: 'hang' }, { end: broken() }] as const) {
    const w = world(step);
    const done = w.complete();
    await settle();
    w.abort.abort();
    await expect(done).rejects.toMatchObject({ name: 'AbortError' });
    expect(w.download.usable).toBe(true);
  }
});
