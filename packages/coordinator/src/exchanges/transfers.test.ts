import { PIECE_BYTES } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { Incoming } from '../storage/spool.ts';
import { Transfers } from './transfers.ts';

/* Against a disk that does what the test says. */
const HEADER = new Uint8Array(40).fill(1);
const PAYLOAD = 8 * PIECE_BYTES;
const CONTENT = new Uint8Array(PIECE_BYTES);

function disk() {
  const writes: { at: number; done: () => void; fail: (error: Error) => void }[] = [];
  const made: { discarded: boolean }[] = [];
  const receive = async (): Promise<Incoming> => {
    const one = { discarded: false };
    made.push(one);
    return {
      write: (_piece, at) => new Promise((done, fail) => writes.push({ at, done, fail })),
      read: async () => {},
      discard: async () => {
        one.discarded = true;
      },
    };
  };
  return { writes, made, transfers: new Transfers({ receive }) };
}

const piece = (n: number) => ({ run: 'r-1', ticket: 't1-1.a', piece: n, bytes: CONTENT });
const settled = () => new Promise(setImmediate);

it('takes no room for an announcement alone', () => {
  const { made, transfers } = disk();
  expect(transfers.announced('a', HEADER, PAYLOAD)).toBe(0);
  expect(made).toHaveLength(0);
});

it('holds no more pieces in memory than a window while the disk lags behind', async () => {
  const { writes, transfers } = disk();
  transfers.announced('a', HEADER, PAYLOAD);
  const taken = [0, 1, 2, 3].map((n) => transfers.take('a', piece(n)));
  await expect(transfers.take('a', piece(4))).rejects.toMatchObject({ code: 'message-invalid' });
  await settled();
  expect(writes.map(({ at }) => at / PIECE_BYTES)).toEqual([0, 1, 2, 3]);
  writes[0]?.done();
  await taken[0];
  const next = transfers.take('a', piece(4));
  await settled();
  for (const { done } of writes) done();
  expect(await next).toBe(5);
  expect(transfers.announced('a', HEADER, PAYLOAD)).toBe(5);
});

it('begins anew where a piece could not be written, and gives its room back', async () => {
  const { writes, made, transfers } = disk();
  transfers.announced('a', HEADER, PAYLOAD);
  const taken = transfers.take('a', piece(0));
  await settled();
  writes[0]?.fail(new Error('the disk is full'));
  await expect(taken).rejects.toThrow('the disk is full');
  await settled();
  expect(made).toEqual([{ discarded: true }]);
  expect(transfers.announced('a', HEADER, PAYLOAD)).toBe(0);
});

it('lets another update of the same participant take its place, and keeps participants apart', async () => {
  const { writes, made, transfers } = disk();
  for (const participant of ['a', 'b']) {
    transfers.announced(participant, HEADER, PAYLOAD);
    const taken = transfers.take(participant, piece(0));
    await settled();
    writes.at(-1)?.done();
    await taken;
  }
  expect(transfers.announced('a', new Uint8Array(40).fill(2), PAYLOAD)).toBe(0);
  await settled();
  expect(made).toEqual([{ discarded: true }, { discarded: false }]);
  expect(transfers.announced('b', HEADER, PAYLOAD)).toBe(1);
  transfers.dropAll();
  await settled();
  expect(made[1]).toEqual({ discarded: true });
  expect(transfers.size).toBe(0);
});
