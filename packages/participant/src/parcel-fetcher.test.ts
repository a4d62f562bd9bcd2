import { ManualClock } from '@coppice/ports';
import { CoppiceError, float32Payload, layoutHash, PIECE_BYTES, pieceOf, type Up } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { ParcelDownload } from './parcel-download.ts';
import { type FetchOptions, ParcelFetcher } from './parcel-fetcher.ts';
import { broken, type Step, scriptedSource } from './parcel-source.testing.ts';
import { modelOf } from './session-world.ts';
import type { Transport } from './transport.ts';

/* A parcel of three pieces, over HTTP and over a socket. */
const model = modelOf(Float32Array.from({ length: 600_000 }, (_, i) => (i * 7) % 101));
const payload = float32Payload(model.weights);
const parcel = { hash: model.checkpoint, frame: model.frame };
const expected = { kind: 'weights', layoutHash: layoutHash(model.layout), parameters: 600_000 } as const;
const pass = { participant: 'b'.repeat(32), ticket: 't1-1.seal' };
const refusal = new CoppiceError('not-found', 'There is no such address.');

function world(...steps: Step[]) {
  const source = scriptedSource(...steps);
  const clock = new ManualClock();
  const pieces: number[] = [];
  let connected = true;
  const request = async (_name: string, { piece }: Up<'parcel'>) => {
    if (!connected) throw broken();
    pieces.push(piece);
    return { ok: true, value: { bytes: pieceOf(payload, piece) } };
  };
  const fetcher = new ParcelFetcher(request as never as Transport['request'], {
    download: new ParcelDownload({ source, clock }),
  });
  const fetch = async (options: FetchOptions = { pass }) =>
    (await fetcher.fetch('r-1', parcel, expected, options)).subarray(40);
  const disconnect = (lost: boolean) => {
    connected = !lost;
  };
  return { source, clock, pieces, fetch, fetcher, disconnect };
}

const equal = (bytes: Uint8Array) => expect(Buffer.compare(bytes, payload)).toBe(0);

it('downloads a parcel, and tells of each piece that is through', async () => {
  const { fetch, pieces, source } = world(
    { bytes: payload.slice(0, PIECE_BYTES + 5), end: broken() },
    { bytes: payload.slice(PIECE_BYTES + 5) },
  );
  const told: unknown[] = [];
  equal(await fetch({ pass, onPiece: (...progress) => told.push(progress) }));
  const bytes = payload.byteLength;
  expect(told).toEqual([
    [0, 3, bytes],
    [1, 3, bytes],
    [3, 3, bytes],
  ]);
  expect(pieces).toEqual([]);
  expect(source.asked[0]).toMatchObject({
    address: { run: 'r-1', hash: model.checkpoint, codec: 'float32', bytes },
    pass,
  });
});

it('takes pieces over the socket without a pass', async () => {
  const { fetch, pieces, source } = world();
  equal(await fetch({}));
  expect([pieces, source.asked]).toEqual([[0, 1, 2], []]);
});

it('goes on over the socket from the piece that is not whole, and stays with it for the session', async () => {
  const { fetch, pieces, source } = world({ bytes: payload.slice(0, PIECE_BYTES + 5), end: refusal });
  equal(await fetch());
  expect(pieces.splice(0)).toEqual([1, 2]);
  equal(await fetch());
  expect([pieces, source.asked.length]).toEqual([[0, 1, 2], 1]);
});

it.each([
  ['damaged', payload.map((byte, i) => (i === 1_500_000 ? byte ^ 1 : byte))],
  ['of another model', float32Payload(model.weights.toReversed())],
])('fetches a parcel anew over the socket where bytes over HTTP are %s', async (_how, wrong) => {
  const { fetch, pieces, source } = world({ bytes: wrong });
  equal(await fetch());
  expect(pieces).toEqual([0, 1, 2]);
  equal(await fetch());
  expect(source.asked).toHaveLength(1);
});

it('finds wrong bytes also where the socket brought the rest', async () => {
  const wrong = payload.slice(0, PIECE_BYTES);
  wrong[3] = (wrong[3] as number) ^ 1;
  const { fetch, pieces } = world({ bytes: wrong, end: refusal });
  equal(await fetch());
  expect(pieces).toEqual([1, 2, 0, 1, 2]);
});

it('keeps what came where every line is broken, and goes on over HTTP once it is wanted again', async () => {
  const lost = { end: broken() };
  const { fetch, pieces, source, clock, disconnect } = world(
    { bytes: payload.slice(0, 1_500_000), end: broken() },
    ...[lost, lost, lost, lost],
    { bytes: payload.slice(1_500_000) },
  );
  disconnect(true);
  const fetching = fetch();
  const failed = expect(fetching).rejects.toMatchObject({ code: 'connection-lost' });
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    clock.advance(5000);
  }
  await failed;
  disconnect(false);
  equal(await fetch());
  expect(source.asked.at(-1)?.from).toBe(1_500_000);
  expect(pieces).toEqual([]);
});

it('is one download for all that want the parcel, and ends with the last of them', async () => {
  const { fetch, source, pieces } = world(
    { bytes: payload.slice(0, 5), end: 'hang' },
    { bytes: payload.slice(5) },
  );
  const [one, other] = [new AbortController(), new AbortController()];
  const fetching = [one, other].map(({ signal }) => fetch({ pass, signal }));
  const ended = fetching.map((one) => expect(one).rejects.toMatchObject({ name: 'AbortError' }));
  await new Promise(setImmediate);
  one.abort();
  await new Promise(setImmediate);
  other.abort();
  await Promise.all(ended);
  expect(source.asked).toHaveLength(1);
  await new Promise(setImmediate);
  equal(await fetch());
  expect([source.asked.map(({ from }) => from), pieces]).toEqual([[0, 5], []]);
});

it('ends with its session', async () => {
  const { fetch, fetcher, pieces } = world({ bytes: payload.slice(0, 5), end: 'hang' });
  const ended = expect(fetch()).rejects.toMatchObject({ code: 'connection-lost' });
  await new Promise(setImmediate);
  fetcher.close();
  await ended;
  expect(pieces).toEqual([]);
});

it('is told that the parcel was replaced', async () => {
  const gone = new CoppiceError('checkpoint-unknown', 'Gone.');
  const { fetch, pieces } = world({ end: gone });
  await expect(fetch()).rejects.toBe(gone);
  expect(pieces).toEqual([]);
});
