import { weightsHash } from '@coppice/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

let coordinator: Coordinator;
/** Hashes of the weights that were read from storage. */
const read: string[] = [];
beforeAll(async () => {
  const storage = memoryStorage();
  const { weights } = storage;
  coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage: {
      ...storage,
      weights: (hash) => {
        read.push(hash);
        return weights(hash);
      },
    },
    spool: memorySpool(),
  });
});
afterAll(() => coordinator.close());

it('weights are read from storage once for all requests, whole, in part, or not at all', async () => {
  const { id, checkpoint } = await coordinator.runs.create('iris', {}, false);
  const url = `${coordinator.url}/models/iris/runs/${id}/0/weights.bin`;
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(url)));
  for (const answer of answers) {
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, `"${checkpoint}"`]);
    expect(weightsHash(new Float32Array(await answer.arrayBuffer()))).toBe(checkpoint);
  }
  expect(read).toEqual([checkpoint]);
  const part = await fetch(url, { headers: { range: 'bytes=8-15' } });
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 8]);
  const known = await fetch(url, { headers: { 'if-none-match': `"${checkpoint}"` } });
  expect(known.status).toBe(304);
  expect(read).toEqual([checkpoint]);
});

it('a piece of a parcel over the socket is a copy, and does not hold its model in memory', async () => {
  const { id, checkpoint } = await coordinator.runs.create('mnist-2nn', {}, false);
  const { payload } = await coordinator.runs.parcel(id, checkpoint, 'float32');
  const piece = await coordinator.runs.parcelPiece(id, { hash: checkpoint, piece: 0 });
  expect(piece).toEqual(payload);
  expect(piece.buffer).not.toBe(payload.buffer);
  expect(piece.buffer.byteLength).toBe(piece.byteLength);
});

it('models, descriptions of tasks and what runs ask for, and refusals of these, can be read by pages of every origin', async () => {
  const get = async (path: string) => {
    const { status, headers } = await fetch(coordinator.url + path, {
      headers: { origin: 'https://elsewhere.example' },
    });
    return [status, headers.get('access-control-allow-origin'), headers.get('access-control-expose-headers')];
  };
  const { id } = await coordinator.runs.create('iris', {}, false);
  const exposed = 'ETag, Retry-After';
  expect(await get('/api/tasks/iris')).toEqual([200, '*', exposed]);
  expect(await get('/api/tasks/none')).toEqual([404, '*', exposed]);
  expect(await get('/models/iris/production/model.json')).toEqual([404, '*', exposed]);
  for (const path of ['/api/tasks', '/api/runs', `/api/runs/${id}/plan`])
    expect(await get(path)).toEqual([200, '*', exposed]);
  // Nothing else of the API.
  expect(await get(`/api/runs/${id}/rounds`)).toEqual([expect.any(Number), null, null]);
  expect(await get('/api/tasks/iris/samples')).toEqual([expect.any(Number), null, null]);
  expect(await get('/api/tasks/iris/releases')).toEqual([401, null, null]);
});

it('a page may show a ticket for a model where it may take part', async () => {
  const preflight = async (origin: string) => {
    const { status, headers } = await fetch(`${coordinator.url}/models/iris/${'0'.repeat(64)}/weights.bin`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'coppice-participant,coppice-ticket',
      },
    });
    return [status, headers.get('access-control-allow-headers')];
  };
  expect(await preflight(coordinator.url)).toEqual([
    204,
    'Coppice-Participant, Coppice-Ticket, Range, If-Range',
  ]);
  expect(await preflight('https://elsewhere.example')).toEqual([403, null]);
});
