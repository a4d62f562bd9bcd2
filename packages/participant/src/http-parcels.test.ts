import { expect, it } from 'vitest';
import { httpParcels } from './http-parcels.ts';
import type { ParcelAddress } from './parcel-source.ts';

const payload = Uint8Array.from({ length: 10 }, (_, i) => i);
const address: ParcelAddress = { run: 'r-1', hash: 'a'.repeat(64), codec: 'int8', bytes: 10 };
const pass = { participant: 'b'.repeat(32), ticket: 't1-1.seal' };
const binary = { 'content-type': 'application/octet-stream' };

/** A body in these parts, that breaks behind them where that is wanted. */
function body(parts: readonly Uint8Array[], breaks = false): ReadableStream<Uint8Array> {
  const left = [...parts];
  return new ReadableStream({
    pull(controller) {
      const part = left.shift();
      if (part !== undefined) controller.enqueue(part);
      else if (breaks) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
}

const whole = () => new Response(body([payload.slice(0, 4), payload.slice(4)]), { headers: binary });
const rest = (from: number, range = `bytes ${from}-9/10`) =>
  new Response(body([payload.slice(from)]), {
    status: 206,
    headers: { ...binary, 'content-range': range },
  });

/** A source over one answer; `made` has the requests. */
function answering(answer: () => Response | Promise<Response>) {
  const made: { url: string; init: RequestInit }[] = [];
  const source = httpParcels('https://learn.example:8443/app/', async (url, init) => {
    made.push({ url: String(url), init });
    return answer();
  });
  const read = async (from = 0, signal = new AbortController().signal) => {
    const bytes: number[] = [];
    for await (const part of source.read(address, from, { pass, signal })) bytes.push(...part);
    return bytes;
  };
  return { source, made, read };
}

it('asks the coordinator by its address, with the pass in headers', async () => {
  const { made, read, source } = answering(whole);
  expect(await read()).toEqual([...payload]);
  expect(made).toMatchObject([
    {
      url: `https://learn.example:8443/api/runs/r-1/parcels/${'a'.repeat(64)}?codec=int8`,
      init: { headers: { 'Coppice-Participant': pass.participant, 'Coppice-Ticket': pass.ticket } },
    },
  ]);
  expect(made[0]?.init.headers).not.toHaveProperty('Range');
  expect(source.traffic.received).toEqual({ messages: 1, bytes: 10 });
  expect(source.traffic.sent.messages).toBe(1);
  expect(source.traffic.sent.bytes).toBeGreaterThan(64 + pass.participant.length + pass.ticket.length);
});

it('asks for what is missing, and takes it from a whole answer, too', async () => {
  const ranged = answering(() => rest(7));
  expect(await ranged.read(7)).toEqual([7, 8, 9]);
  expect(ranged.made[0]?.init.headers).toMatchObject({ Range: 'bytes=7-' });
  const all = answering(whole);
  expect(await all.read(7)).toEqual([7, 8, 9]);
  expect(all.source.traffic.received.bytes).toBe(10);
});

it('gives the bytes that came before the line broke', async () => {
  for (const breaks of [true, false]) {
    const { source } = answering(
      () => new Response(body([payload.slice(0, 6)], breaks), { headers: binary }),
    );
    const got: number[] = [];
    const reading = async () => {
      const { signal } = new AbortController();
      for await (const part of source.read(address, 0, { pass, signal })) got.push(...part);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'connection-lost', retry: 'later' });
    expect(got).toEqual([0, 1, 2, 3, 4, 5]);
    expect(source.traffic.received.bytes).toBe(6);
  }
});

it('has no connection where none came to be', async () => {
  const { read } = answering(() => Promise.reject(new TypeError('fetch failed')));
  await expect(read()).rejects.toMatchObject({ code: 'connection-lost' });
});

const page = '<!doctype html><title>Sign in</title>';
const html = { 'content-type': 'text/html' };
const json = (code: string, status: number) =>
  Response.json({ error: { code, message: 'Refused.' } }, { status });
it.each([
  ['a page of a proxy', () => new Response(page, { headers: html }), 'message-invalid'],
  ['a proxy that wants a sign-in', () => new Response(page, { status: 401, headers: html }), 'unauthorized'],
  ['a proxy that lets nothing through', () => new Response(page, { status: 403 }), 'forbidden'],
  ['a coordinator without this route', () => json('not-found', 404), 'not-found'],
  ['a server that knows nothing of it', () => new Response('', { status: 404 }), 'not-found'],
  ['JSON of another program', () => Response.json(null, { status: 404 }), 'not-found'],
  ['a redirection', () => new Response(null, { status: 302, headers: { location: '/' } }), 'message-invalid'],
  ['an empty answer', () => new Response(null, { status: 204 }), 'message-invalid'],
  ['another range', () => rest(0, 'bytes 1-9/10'), 'message-invalid'],
  ['a range of something else', () => rest(0, 'bytes 0-9/11'), 'message-invalid'],
  [
    'more bytes than there are',
    () => new Response(body([payload, payload]), { headers: binary }),
    'message-invalid',
  ],
  ['a participant that is banned', () => json('participant-banned', 403), 'participant-banned'],
  ['a participant that is not admitted', () => json('run-not-admitted', 403), 'run-not-admitted'],
] as const)('is of no use where there is %s', async (_what, answer, code) => {
  const thrown = await answering(answer)
    .read()
    .catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code });
  expect((thrown as { retry: string }).retry).not.toBe('later');
});

it.each([
  [
    'a gateway that reaches nobody',
    () => new Response(page, { status: 502, headers: html }),
    'connection-lost',
  ],
  ['a coordinator that starts', () => json('coordinator-starting', 503), 'coordinator-starting'],
  ['too many requests', () => json('rate-limited', 429), 'rate-limited'],
  ['too many requests, says a proxy', () => new Response('', { status: 429 }), 'rate-limited'],
] as const)('may be tried again where there is %s', async (_what, answer, code) => {
  await expect(answering(answer).read()).rejects.toMatchObject({ code, retry: 'later' });
});

it('tells apart what is over: the parcel, and the ticket', async () => {
  for (const [code, status] of [
    ['checkpoint-unknown', 404],
    ['ticket-invalid', 403],
  ] as const)
    await expect(answering(() => json(code, status)).read()).rejects.toMatchObject({ code });
});

it('stops as soon as it is told to, before an answer and within one', async () => {
  const before = new AbortController();
  const waiting = answering(() => {
    before.abort();
    return Promise.reject(new TypeError('aborted'));
  });
  await expect(waiting.read(0, before.signal)).rejects.toMatchObject({ name: 'AbortError' });
  const within = new AbortController();
  const { source } = answering(
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(payload.slice(0, 3));
            within.signal.addEventListener('abort', () => controller.error(within.signal.reason));
          },
        }),
        { headers: binary },
      ),
  );
  const reading = async () => {
    for await (const _part of source.read(address, 0, { pass, signal: within.signal })) within.abort();
  };
  await expect(reading()).rejects.toMatchObject({ name: 'AbortError' });
});
