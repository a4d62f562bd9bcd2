import { type Ask, type Joined, type Reply, weightsHash } from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { type Connected, connectParticipant, next } from '../realtime/participant.testing.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

/** A page's origin that may take part. */
const PARTNER = 'https://partner.example';
let coordinator: Coordinator;
const people: Connected[] = [];
beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent', allowOrigin: PARTNER },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(async () => {
  for (const { socket } of people) socket.disconnect();
  await coordinator.close();
});

async function come(): Promise<Connected> {
  const one = await connectParticipant(coordinator.url);
  people.push(one);
  return one;
}

const launch = (admission: 'open' | 'invited') =>
  coordinator.runs.create('iris', { minParticipants: 1, downloadCodec: 'int8' }, true, { admission });

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${coordinator.url}/api/runs/${path}`, { headers, method });

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** Joins, and resolves with the question that comes. */
async function ask({ socket }: Connected, run: string, invitation?: string): Promise<Ask> {
  const asked = next<Ask>(socket, 'ask');
  const about = { device: 'headless', backend: 'cpu', examples: 1, speed: null, paused: false };
  const by = invitation === undefined ? {} : { invitation };
  const joined: Reply<Joined> = await socket.emitWithAck('join', { run, ...about, ...by });
  if (!joined.ok) throw new Error(joined.error.message);
  return asked;
}

describe('a parcel of an open run', () => {
  it('has the bytes that come over the socket, exact and rounded, for anyone to keep for ever', async () => {
    const { id: run, checkpoint } = await launch('open');
    const { socket } = await come();
    for (const codec of ['float32', 'int8'] as const) {
      const piece = await socket.emitWithAck('parcel', { run, hash: checkpoint, codec, piece: 0 });
      const response = await get(`${run}/parcels/${checkpoint}?codec=${codec}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('accept-ranges')).toBe('bytes');
      expect(response.headers.get('etag')).toBe(`"${checkpoint}.${codec}"`);
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      const bytes = await bytesOf(response);
      expect(bytes).toEqual(piece.value.bytes);
      if (codec === 'float32')
        expect(weightsHash(new Float32Array(new Uint8Array(bytes).buffer))).toBe(checkpoint);
    }
    // Without a codec, the exact one.
    expect((await bytesOf(await get(`${run}/parcels/${checkpoint}`))).byteLength).toBe(4 * 131);
  });

  it('is sent in the range that is asked for', async () => {
    const { id: run, checkpoint } = await launch('open');
    const path = `${run}/parcels/${checkpoint}`;
    const whole = await bytesOf(await get(path));
    const size = whole.byteLength;
    const etag = `"${checkpoint}.float32"`;
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=100-', 100, size],
      [`bytes=100-${10 * size}`, 100, size],
      ['bytes=-10', size - 10, size],
      [`bytes=-${10 * size}`, 0, size],
    ] as const) {
      const response = await get(path, { range, 'if-range': etag });
      expect(response.status, range).toBe(206);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`);
      expect(await bytesOf(response)).toEqual(whole.subarray(start, end));
    }
    for (const range of ['bytes=9-3', 'bytes=-', 'bytes=0-1,4-5', 'items=0-1', 'bytes=a-b', 'bytes=1.5-2']) {
      const response = await get(path, { range });
      expect(response.status, range).toBe(200);
      expect(await bytesOf(response)).toEqual(whole);
    }
    expect((await get(path, { range: 'bytes=0-1', 'if-range': '"another"' })).status).toBe(200);
    for (const range of [`bytes=${size}-`, `bytes=${size}-${size + 1}`, 'bytes=-0']) {
      const response = await get(path, { range });
      expect(response.status, range).toBe(416);
      expect(response.headers.get('content-range')).toBe(`bytes */${size}`);
      expect(await response.json()).toMatchObject({ error: { code: 'body-invalid' } });
    }
    const head = await get(path, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(size)]);
    const fresh = await get(path, { 'if-none-match': `"other", ${etag}` });
    expect([fresh.status, (await bytesOf(fresh)).byteLength]).toEqual([304, 0]);
  });

  it('is refused by name where there is none', async () => {
    const { id: run, checkpoint } = await launch('open');
    for (const [path, status, code] of [
      [`nowhere-1/parcels/${checkpoint}`, 404, 'run-unknown'],
      [`${run}/parcels/${'0'.repeat(64)}`, 404, 'checkpoint-unknown'],
      [`${run}/parcels/latest`, 404, 'checkpoint-unknown'],
      [`${run}/parcels/${checkpoint}?codec=zip`, 400, 'body-invalid'],
      [`${run}/parcels/${checkpoint}?codec=top1`, 400, 'message-invalid'],
    ] as const) {
      const response = await get(path);
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    }
  });

  it('counts as sent to the participant whose ticket is shown, and to nobody else', async () => {
    const { id: run, checkpoint } = await launch('open');
    const member = await come();
    const { ticket } = await ask(member, run);
    const path = `${run}/parcels/${checkpoint}`;
    const { runs } = coordinator;
    const counted = () => runs.engine(run).participants([member.id])[0]?.bytesDown as number;
    const headers = { 'coppice-participant': member.id, 'coppice-ticket': ticket };
    const wrong = { ...headers, 'coppice-ticket': `${ticket}x` };
    const before = counted();
    for (const others of [{}, wrong]) await bytesOf(await get(path, others));
    expect(counted() - before).toBeLessThan(4 * 131);
    await bytesOf(await get(path, headers));
    await expect.poll(() => counted() - before).toBeGreaterThan(4 * 131);
    const after = counted();
    await bytesOf(await get(path, { ...headers, range: 'bytes=500-' }));
    await expect.poll(() => counted() - after).toBeGreaterThan(24);
    expect(counted() - after).toBeLessThan(4 * 131 + 2000);
  });

  it('is there after the end of its run', async () => {
    const { id: run, checkpoint } = await launch('open');
    await coordinator.runs.act(run, 'stop');
    expect((await get(`${run}/parcels/${checkpoint}`)).status).toBe(200);
  });
});

describe('a parcel of a run that is not open', () => {
  it('is for those that show the ticket of an open question, in headers, and is kept by nobody', async () => {
    const { id: run, checkpoint } = await launch('invited');
    const { secret } = await coordinator.admissions.invite(run, {}, 'the tests');
    const [member, other] = [await come(), await come()];
    const { ticket } = await ask(member, run, secret);
    const path = `${run}/parcels/${checkpoint}`;
    const holder = { 'coppice-participant': member.id, 'coppice-ticket': ticket };
    const response = await get(path, { ...holder, range: 'bytes=4-' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([206, 'private, no-store']);
    expect((await bytesOf(response)).byteLength).toBe(4 * 131 - 4);

    const refused = async (headers: Record<string, string>, at = path) => {
      const {
        status,
        headers: sent,
        body,
      } = await get(at, headers).then(async (answer) => ({
        status: answer.status,
        headers: answer.headers,
        body: (await answer.json()) as { error: { code: string } },
      }));
      expect(status).toBe(403);
      expect(sent.get('cache-control')).toBeNull();
      return body.error.code;
    };
    expect(await refused({})).toBe('run-not-admitted');
    expect(await refused({}, `${path}?ticket=${ticket}`)).toBe('run-not-admitted');
    expect(await refused({ 'coppice-ticket': ticket })).toBe('run-not-admitted');
    expect(await refused({ ...holder, 'coppice-participant': other.id })).toBe('run-not-admitted');
    expect(await refused({ ...holder, 'coppice-ticket': `${ticket}x` })).toBe('ticket-invalid');
    // Admitted, but the ticket is of somebody else's question.
    await coordinator.admissions.list(run, [other.id], { note: '', by: 'the tests' });
    expect(await refused({ ...holder, 'coppice-participant': other.id })).toBe('ticket-invalid');
    // A question that is over opens nothing.
    await member.socket.emitWithAck('decline', { run, ticket, reason: 'dropout' });
    await coordinator.runs.act(run, 'stop');
    expect(await refused(holder)).toBe('ticket-invalid');
  });

  it('is refused to those that were put out', async () => {
    const { id: run, checkpoint } = await launch('invited');
    const { secret } = await coordinator.admissions.invite(run, {}, 'the tests');
    const member = await come();
    const { ticket } = await ask(member, run, secret);
    await coordinator.admissions.ban({ participant: member.id, run, reason: '' }, 'the tests');
    const headers = { 'coppice-participant': member.id, 'coppice-ticket': ticket };
    const response = await get(`${run}/parcels/${checkpoint}`, headers);
    expect([response.status, await response.json()]).toMatchObject([
      403,
      { error: { code: 'participant-banned' } },
    ]);
  });
});

describe('a page of another origin', () => {
  const preflight = async (origin: string | null, path = `iris-1/parcels/${'0'.repeat(64)}`) => {
    const response = await fetch(`${coordinator.url}/api/runs/${path}`, {
      method: 'OPTIONS',
      headers: {
        ...(origin === null ? {} : { origin }),
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'coppice-participant,coppice-ticket,range',
      },
    });
    const of = (name: string) => response.headers.get(`access-control-${name}`);
    return {
      status: response.status,
      origin: of('allow-origin'),
      headers: of('allow-headers'),
      methods: of('allow-methods'),
      vary: response.headers.get('vary'),
      body: await response.text(),
    };
  };

  it('may send the headers where it may take part', async () => {
    expect(await preflight(PARTNER)).toEqual({
      status: 204,
      origin: PARTNER,
      headers: 'Coppice-Participant, Coppice-Ticket, Range, If-Range',
      methods: 'GET, HEAD',
      vary: 'Origin',
      body: '',
    });
    expect((await preflight(coordinator.url)).origin).toBe(coordinator.url);
  });

  it('is refused where it may not', async () => {
    for (const origin of ['https://evil.example', 'http://partner.example', 'null']) {
      const { status, origin: allowed, headers, body } = await preflight(origin);
      expect([status, allowed, headers]).toEqual([403, null, null]);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'cross-site-request' } });
    }
  });

  it('may read where a range begins', async () => {
    const { id: run, checkpoint } = await launch('open');
    const response = await get(`${run}/parcels/${checkpoint}`, { origin: PARTNER, range: 'bytes=4-' });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toBe('Accept-Ranges, Content-Range, ETag');
    await bytesOf(response);
  });

  it('asks about no other address', async () => {
    const response = await fetch(`${coordinator.url}/api/runs`, {
      method: 'OPTIONS',
      headers: { origin: PARTNER },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, null]);
    await response.text();
  });

  it('reads why there is no parcel', async () => {
    const response = await get(`nowhere-1/parcels/${'0'.repeat(64)}`, { origin: PARTNER });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, '*']);
    await response.text();
  });
});
