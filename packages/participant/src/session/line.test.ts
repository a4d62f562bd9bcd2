import { expect, it } from 'vitest';
import { contentOf } from './line.ts';
import { connectedLine } from './parts.testing.ts';

it('notes each message before it leaves, and counts what came back', async () => {
  const { line, peer, store } = connectedLine();
  peer.answer('leave', () => {
    expect(store.state.outbound.map(({ name }) => name)).toEqual(['leave']);
    return { ok: true, value: null };
  });
  const before = store.state.received.messages;
  await line.request('leave', { run: 'r-1' });
  expect(store.state.outbound).toMatchObject([{ at: 1000, name: 'leave', fields: { run: 'r-1' } }]);
  expect(store.state.sent.messages).toBe(1);
  expect(store.state.received.messages).toBeGreaterThan(before);
});

it('has no line for pieces of a message that was noted', async () => {
  const { line, peer, store } = connectedLine();
  peer.answer('parcel', () => ({ ok: true, value: { bytes: new Uint8Array(3) } }));
  await line.requestUnrecorded('parcel', { run: 'r-1', hash: '0'.repeat(64), piece: 0 });
  expect(store.state.outbound).toEqual([]);
  expect(store.state.sent.messages).toBe(0);
  line.countTraffic();
  expect(store.state.sent.messages).toBe(1);
});

it('throws a refusal by its code', () => {
  expect(contentOf({ ok: true, value: 3 })).toBe(3);
  expect(() => contentOf({ ok: false, error: { code: 'run-unknown', message: 'There is none.' } })).toThrow(
    expect.objectContaining({ code: 'run-unknown' }),
  );
});
