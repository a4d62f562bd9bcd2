import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto';
import { builtInTasks } from '@coppice/datasets';
import {
  type Ask,
  type Checkpoint,
  type Down,
  type Joined,
  layoutSize,
  PROTOCOL_VERSION,
  proofBytes,
  type Reply,
  type Run,
  type Task,
  type TaskInfo,
  weightsHash,
} from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from './coordinator.ts';
import { ENDED_AT_HAND } from './registry/runs.ts';
import { trainFrame } from './rounds/run-world.ts';
import { memoryStorage } from './storage/memory.ts';
import { memorySpool } from './storage/memory-spool.ts';

const KEY = 'a-key-for-tests';
let coordinator: Coordinator;
const sockets: Socket[] = [];

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent', operator: 'the tests' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await coordinator.close();
});

interface Call {
  method?: string;
  body?: unknown;
  admin?: boolean;
  headers?: Record<string, string>;
}

async function call<T = { error: { code: string; message: string } }>(
  path: string,
  { method = 'GET', body, admin = false, headers = {} }: Call = {},
) {
  const response = await fetch(coordinator.url + path, {
    method,
    headers: {
      ...(admin ? { authorization: `Bearer ${KEY}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as T };
}

function connect(name: string, given?: object, transport: 'websocket' | 'polling' = 'websocket'): Socket {
  const curve = createECDH('prime256v1');
  const secret = createHash('sha256').update(name).digest();
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const socket = io(`${coordinator.url}/participant`, {
    transports: [transport],
    auth: given ?? { protocol: PROTOCOL_VERSION, key: point.toString('base64url') },
    forceNew: true,
    reconnection: false,
  });
  socket.once('challenge', ({ nonce }: { nonce: string }) => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
      d: secret.toString('base64url'),
    };
    const key = createPrivateKey({ format: 'jwk', key: jwk });
    const bytes = proofBytes(new URL(coordinator.url).host, nonce);
    socket.emit('prove', {
      signature: sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
    });
  });
  sockets.push(socket);
  return socket;
}

const next = <T>(socket: Socket, event: string) => new Promise<T>((resolve) => socket.once(event, resolve));

const scrape = async () => {
  const response = await fetch(`${coordinator.url}/metrics`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const text = await response.text();
  // The exposition format: comments, and lines of name, labels and number.
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#')))
    expect(line).toMatch(/^[a-z_0-9]+(\{([a-z_]+="[^"]*",?)+\})? (-?[\d.]+(e[+-]?\d+)?|Nan|\+Inf)$/i);
  return (line: string) =>
    Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')} (.+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
};

describe('metrics', () => {
  it('are for the admin only', async () => {
    expect(await call('/metrics')).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
  });

  it('count connections and what messages are answered, by code', async () => {
    const before = await scrape();
    const socket = connect('counted');
    await next(socket, 'welcome');
    const count = before('coppice_messages_total{name="join",result="run-unknown"}') || 0;
    await socket.emitWithAck('join', {
      run: 'nowhere-1',
      device: 'headless',
      backend: 'cpu',
      examples: 1,
      speed: null,
      paused: false,
    });
    const after = await scrape();
    expect(after('coppice_messages_total{name="join",result="run-unknown"}')).toBe(count + 1);
    expect(after('coppice_participants_connected')).toBeGreaterThanOrEqual(1);
    expect(after('coppice_spool_waiting')).toBe(0);
    expect(after('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  });
});

describe('HTTP', () => {
  it('says that it lives and is ready', async () => {
    expect(await call('/healthz')).toMatchObject({ status: 200 });
    expect(await call('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
    expect(await call('/api/info')).toMatchObject({
      body: { name: 'Coppice', operator: 'the tests', protocol: PROTOCOL_VERSION },
    });
  });

  it('reads large bodies only where something large is meant to come', async () => {
    const large = { key: 'x'.repeat(100_000) };
    for (const path of ['/api/session', '/api/runs'])
      expect(await call(path, { method: 'POST', admin: true, body: large })).toMatchObject({
        status: 400,
        body: { error: { code: 'body-invalid', message: expect.stringContaining('65536 bytes') } },
      });
    // What is wrong with this one is not its size.
    const task = await call('/api/tasks', { method: 'POST', admin: true, body: large });
    expect(task.body.error.code).toBe('task-invalid');
  });

  it('describes itself: every route of the document answers, every reference resolves', async () => {
    const { body } = await call<{
      paths: Record<string, Record<string, unknown>>;
      components: { schemas: Record<string, unknown> };
    }>('/api/openapi.json');
    const text = JSON.stringify(body);
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g))
      expect(body.components.schemas).toHaveProperty(name as string);
    for (const [path, methods] of Object.entries(body.paths)) {
      // Pages are no JSON; they have a test of their own.
      if (methods.get === undefined || path.endsWith('.html')) continue;
      const { body: answer } = await call(
        path.replace('{task}', 'iris').replace('{run}', 'none').replace('{version}', 'latest'),
        { admin: true },
      );
      expect(answer.error?.message ?? '').not.toContain('nothing at this address');
    }
  });

  it('keeps admins and everyone else apart', async () => {
    for (const [method, path] of [
      ['POST', '/api/runs'],
      ['POST', '/api/tasks'],
      ['GET', '/api/runs/x'],
      ['GET', '/api/events'],
      ['POST', '/api/runs/x/stop'],
    ] as const) {
      const answer = await call(path, { method, ...(method === 'POST' ? { body: {} } : {}) });
      expect(answer, path).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    }
    expect(await call('/api/events', { headers: { authorization: 'Bearer wrong' } })).toMatchObject({
      status: 401,
    });
    expect(await call('/api/events', { admin: true })).toMatchObject({ status: 200 });
  });

  it('exchanges the key for a session that ends at sign-out', async () => {
    expect(await call('/api/session', { method: 'POST', body: { key: 'wrong-key' } })).toMatchObject({
      status: 401,
    });
    const login = await call('/api/session', { method: 'POST', body: { key: KEY } });
    const cookie = login.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Strict/i);
    const headers = { cookie: cookie.split(';')[0] as string };
    expect(await call('/api/session', { headers })).toMatchObject({ body: { admin: true } });
    expect(await call('/api/events', { headers })).toMatchObject({ status: 200 });
    await call('/api/session', { method: 'DELETE', headers });
    expect(await call('/api/events', { headers })).toMatchObject({ status: 401 });
  });

  it('lists the built-in tasks with the sizes that their papers give', async () => {
    const { body } = await call<TaskInfo[]>('/api/tasks');
    const sizes = Object.fromEntries(body.map(({ id, parameters }) => [id, parameters]));
    expect(sizes).toMatchObject({ 'mnist-2nn': 199_210, 'mnist-cnn': 1_663_370, regression: 121 });
    expect(body.map(({ id }) => id)).toEqual(builtInTasks.map(({ id }) => id));
  });

  it('shares out samples, each example once', async () => {
    const read = async (share: number) => {
      const response = await fetch(`${coordinator.url}/api/tasks/iris/samples?share=${share}&of=4`);
      const buffer = await response.arrayBuffer();
      const [count = 0, bytes, size = 0] = new Uint32Array(buffer, 0, 3);
      expect(bytes).toBe(4);
      return Array.from({ length: count }, (_, row) =>
        [...new Float32Array(buffer, 16 + row * size * 4, size)].join(),
      );
    };
    const rows = (await Promise.all([0, 1, 2, 3].map(read))).flat();
    expect(rows).toHaveLength(120);
    const bad = await call('/api/tasks/iris/samples?share=4&of=4');
    expect(bad).toMatchObject({ status: 400, body: { error: { code: 'body-invalid' } } });
  });

  it('names what is wrong with a request', async () => {
    expect(await call('/api/runs', { method: 'POST', admin: true, body: '{"task":' })).toMatchObject({
      status: 400,
      body: { error: { code: 'body-invalid' } },
    });
    expect(await call('/api/runs', { method: 'POST', admin: true, body: { task: 'nope' } })).toMatchObject({
      status: 404,
      body: { error: { code: 'task-unknown' } },
    });
    const plan = await call('/api/runs', {
      method: 'POST',
      admin: true,
      body: { task: 'iris', plan: { epochs: 0 } },
    });
    expect(plan).toMatchObject({
      status: 422,
      body: { error: { code: 'plan-invalid', message: expect.stringContaining('epochs') } },
    });
    expect(await call('/api/runs/nope', { admin: true })).toMatchObject({
      status: 404,
      body: { error: { code: 'run-unknown' } },
    });
    // A run that nobody has trained has no model to publish.
    await call('/api/runs', { method: 'POST', admin: true, body: { task: 'regression' } });
    expect(await call('/models/regression/latest/model.json')).toMatchObject({
      status: 404,
      body: { error: { code: 'checkpoint-unknown', message: expect.stringContaining('Launch one') } },
    });
    expect(await call('/nowhere')).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } });
  });

  it('sends a strict content policy', async () => {
    const policy = (await fetch(`${coordinator.url}/healthz`)).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(policy).not.toContain("'unsafe-eval'");
  });
});

describe('a task of your own', () => {
  const own = (change: object = {}) => {
    const iris = builtInTasks.find(({ id }) => id === 'iris') as Task;
    return {
      id: 'mine',
      title: { en: 'Mine' },
      description: { en: 'My own.' },
      data: iris.data,
      model: { modelTopology: iris.model },
      ...change,
    };
  };

  it.each([
    ['a model that is none', { model: { modelTopology: { nothing: true } } }, 'model-invalid'],
    ['a graph model', { model: { modelTopology: { node: [] } } }, 'model-invalid'],
    ['an id with capitals', { id: 'Mine' }, 'task-invalid'],
    [
      'no classes',
      { data: { kind: 'image', width: 2, height: 2, channels: 1, classes: [] } },
      'task-invalid',
    ],
    [
      'data that the model does not take',
      { data: { kind: 'image', width: 2, height: 3, channels: 1, classes: ['a', 'b', 'c'] } },
      'model-invalid',
    ],
    ['an id that is taken', { id: 'iris' }, 'task-exists'],
  ])('with %s is refused by name', async (_what, change, code) => {
    const answer = await call('/api/tasks', { method: 'POST', admin: true, body: own(change) });
    expect(answer.body.error).toMatchObject({ code });
    expect(answer.body.error.message.length).toBeGreaterThan(20);
  });

  it('is refused by name where tfjs would never finish with it: a circle, and 10,000 lists deep', async () => {
    const input = {
      class_name: 'InputLayer',
      name: 'in',
      config: { name: 'in', batch_input_shape: [null, 2] },
    };
    const layer = (name: string, from: string) => ({
      class_name: 'Dense',
      name,
      config: { name, units: 2, activation: 'softmax' },
      inbound_nodes: [[[from, 0, 0, {}]]],
    });
    const layers = [{ ...input, inbound_nodes: [] }, layer('one', 'two'), layer('two', 'one')];
    const config = { name: 'm', layers, input_layers: [['in', 0, 0]], output_layers: [['two', 0, 0]] };
    const circle = JSON.stringify(own({ model: { class_name: 'Model', config } }));
    const lists = '['.repeat(10_000) + ']'.repeat(10_000);
    const deep = JSON.stringify(own({ model: { class_name: 'Sequential', config: 'deep' } }));
    for (const [body, why] of [
      [circle, '"one" takes its input'],
      [deep.replace('"deep"', lists), 'nests more than'],
    ] as const) {
      const answer = await call('/api/tasks', { method: 'POST', admin: true, body });
      expect(answer).toMatchObject({ status: 422, body: { error: { code: 'model-invalid' } } });
      expect(answer.body.error.message).toContain(why);
    }
  });

  it('with a layer that tfjs cannot train is refused by the name of the layer', async () => {
    const dilated = {
      class_name: 'SeparableConv2D',
      config: {
        name: 'wide_view',
        filters: 2,
        kernel_size: [3, 3],
        dilation_rate: [2, 2],
        batch_input_shape: [null, 8, 8, 1],
      },
    };
    const layers = [
      dilated,
      { class_name: 'Flatten', config: {} },
      { class_name: 'Dense', config: { units: 2, activation: 'softmax' } },
    ];
    const answer = await call('/api/tasks', {
      method: 'POST',
      admin: true,
      body: own({
        data: { kind: 'image', width: 8, height: 8, channels: 1, classes: ['a', 'b'] },
        model: { modelTopology: { class_name: 'Sequential', config: { layers } } },
      }),
    });
    expect(answer).toMatchObject({ status: 422, body: { error: { code: 'model-invalid' } } });
    expect(answer.body.error.message).toContain('"wide_view"');
  });

  it('is kept, listed and can be run', async () => {
    expect(await call('/api/tasks', { method: 'POST', admin: true, body: own() })).toMatchObject({
      status: 201,
      body: { id: 'mine', builtIn: false, parameters: 131 },
    });
    const run = await call<Run>('/api/runs', {
      method: 'POST',
      admin: true,
      body: { task: 'mine', start: false },
    });
    expect(run).toMatchObject({ status: 201, body: { task: 'mine', status: 'created', central: null } });
  });
});

describe('a participant', () => {
  it('is refused by name for what it says of itself', async () => {
    const refusal = async (auth: object) =>
      (await next<Error & { data: { code: string } }>(connect('', auth), 'connect_error')).data.code;
    expect(await refusal({ protocol: 1, secret: 'x' })).toBe('protocol-too-old');
    expect(await refusal({ protocol: PROTOCOL_VERSION + 1, key: 'A'.repeat(87) })).toBe('protocol-too-new');
    expect(await refusal({ protocol: PROTOCOL_VERSION })).toBe('identity-invalid');
    expect(await refusal({ protocol: PROTOCOL_VERSION, key: 'short' })).toBe('identity-invalid');
    expect(await refusal({})).toBe('identity-invalid');
  });

  it('takes part, and its update becomes the model, served for tfjs with the right bytes', async () => {
    const run = (
      await call<Run>('/api/runs', {
        method: 'POST',
        admin: true,
        body: { task: 'iris', plan: { minParticipants: 1, rounds: 1, overSelection: 1 } },
      })
    ).body;
    const socket = connect('one');
    const welcome = await next<Down<'welcome'>>(socket, 'welcome');
    // SHA-256 of the public key that belongs to the name, as OpenSSL's command line computes it.
    expect(welcome.participant).toBe('6683cdf584126184835606646cfe0daf');
    const starting = next<Ask>(socket, 'ask');
    const ending = next<Down<'round-end'>>(socket, 'round-end');
    const joined = (await socket.emitWithAck('join', {
      run: run.id,
      device: 'headless',
      backend: 'none',
      examples: 5,
      speed: null,
      paused: false,
    })) as Reply<Joined>;
    if (!joined.ok) throw new Error(joined.error.message);
    const { layout, answers } = joined.value;
    const { ticket, parcels } = await starting;
    const { frame } = parcels[0] as Ask['parcels'][number];
    const weights = new Float32Array(Buffer.from(frame as Uint8Array).buffer.slice(0)).length;
    expect(weights).toBeGreaterThan(0);
    const parameters = layoutSize(layout);
    const update = new Float32Array(parameters).fill(0.25);
    const reply = await socket.emitWithAck('answer', {
      run: run.id,
      ticket,
      weight: 5,
      milliseconds: 1,
      frame: trainFrame(answers.train, [update], { weight: 5, evaluation: null }),
    });
    expect(reply).toEqual({ ok: true, value: { duplicate: false, next: null } });
    expect(await ending).toMatchObject({ outcome: 'committed', you: 'accepted', accepted: 1 });
    const before = new Float32Array(new Uint8Array(frame as Uint8Array).slice(40).buffer);
    const expected = before.map((weight) => weight + 0.25);
    const checkpoints = (await call<Checkpoint[]>(`/api/runs/${run.id}/checkpoints`, { admin: true })).body;
    expect(checkpoints[0]).toMatchObject({
      hash: weightsHash(expected),
      round: 1,
      parent: `${run.id}/0`,
      central: { examples: 30 },
    });
    const model = await call<{
      weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[];
    }>('/models/iris/latest/model.json');
    expect(model.headers.get('access-control-allow-origin')).toBe('*');
    const manifest = model.body.weightsManifest[0];
    expect(manifest?.weights.map(({ shape }) => shape)).toEqual(layout.map(({ shape }) => shape));
    const weightsUrl = new URL(
      manifest?.paths[0] as string,
      `${coordinator.url}/models/iris/latest/model.json`,
    );
    const bytes = new Float32Array(await (await fetch(weightsUrl)).arrayBuffer());
    expect(bytes).toEqual(expected);

    // Nobody trains what is launched after it, so the model stays what it was.
    await call('/api/runs', { method: 'POST', admin: true, body: { task: 'iris' } });
    const after = await call<object>('/models/iris/latest/model.json');
    expect(after.body).toEqual(model.body);
    expect(after.body).toMatchObject({ userDefinedMetadata: { coppice: { run: run.id, round: 1 } } });
  });

  it('gets a named answer to nonsense, and the coordinator lives on', async () => {
    const all = [null, 7, 'text', [], {}, { run: 'none' }, { run: '../..' }, new Uint8Array(3)];
    for (const [i, nonsense] of all.entries()) {
      // Each from someone else: too much of it from one ends the connection.
      const socket = connect(`nonsense-${i}`);
      await next(socket, 'welcome');
      for (const name of ['join', 'leave', 'pull', 'decline', 'answer', 'counted', 'availability']) {
        const reply = (await socket.timeout(5000).emitWithAck(name, nonsense)) as Reply<unknown>;
        expect(reply.ok, `${name} ${JSON.stringify(nonsense)}`).toBe(false);
        if (!reply.ok) expect(['message-invalid', 'run-unknown']).toContain(reply.error.code);
      }
      // Without an acknowledgement there is no answer; nothing must break.
      socket.emit('answer', nonsense);
      socket.emit('progress', nonsense);
    }
    expect(await call('/healthz')).toMatchObject({ status: 200 });
  });

  it('may come by HTTP long polling where WebSocket is blocked', async () => {
    const socket = connect('polling', undefined, 'polling');
    await next(socket, 'welcome');
    const run = (
      await call<Run>('/api/runs', { method: 'POST', admin: true, body: { task: 'iris', start: false } })
    ).body;
    const reply = (await socket.emitWithAck('pull', { run: run.id })) as Reply<{ checkpoint: string }>;
    expect(reply).toMatchObject({ ok: true, value: { checkpoint: run.checkpoint } });
  });

  it('connected twice lets the older connection go, by name', async () => {
    const first = connect('three');
    await next(first, 'welcome');
    const told = next<{ code: string }>(first, 'notice');
    const gone = next(first, 'disconnect');
    const second = connect('three');
    await next(second, 'welcome');
    expect((await told).code).toBe('session-replaced');
    await gone;
    expect(second.connected).toBe(true);
  });

  it('is not taken for present by an update on a connection that ended', async () => {
    const { id: run } = (
      await call<Run>('/api/runs', { method: 'POST', admin: true, body: { task: 'iris' } })
    ).body;
    const here = async () =>
      (await call<{ state: string }[]>(`/api/runs/${run}/participants`, { admin: true })).body.map(
        ({ state }) => state,
      );
    const about = { run, device: 'headless', backend: 'cpu', examples: 1, speed: null, paused: false };
    const first = connect('comes back');
    await next(first, 'welcome');
    expect(await first.emitWithAck('join', about)).toMatchObject({ ok: true });
    first.disconnect();
    await expect.poll(here).toEqual(['away']);

    // Without joining: an answer counts on a new connection before anything else does.
    const second = connect('comes back');
    await next(second, 'welcome');
    const answer = { run, ticket: 't1-1.none', weight: 1, milliseconds: 1, frame: new Uint8Array(100) };
    expect(await second.emitWithAck('answer', answer)).toMatchObject({
      ok: false,
      error: { code: 'ticket-invalid' },
    });
    expect(await here()).toEqual(['ready']);
    second.disconnect();
    await expect.poll(here).toEqual(['away']);

    // And by one that took the place of another, and said nothing at all.
    const third = connect('comes back');
    await next(third, 'welcome');
    expect(await third.emitWithAck('join', about)).toMatchObject({ ok: true });
    const fourth = connect('comes back');
    await Promise.all([next(fourth, 'welcome'), next(third, 'disconnect')]);
    expect(await here()).toEqual(['ready']);
    fourth.disconnect();
    await expect.poll(here).toEqual(['away']);
  });
});

describe('the admin socket', () => {
  it('opens for the key only, and shows what there is', async () => {
    const admin = (auth: object) => {
      const socket = io(`${coordinator.url}/admin`, {
        transports: ['websocket'],
        auth,
        forceNew: true,
        reconnection: false,
      });
      sockets.push(socket);
      return socket;
    };
    expect(await next<Error & { data: object }>(admin({ key: 'wrong' }), 'connect_error')).toMatchObject({
      data: { code: 'unauthorized' },
    });
    const snapshot = await next<{ runs: Run[]; operator: string }>(admin({ key: KEY }), 'snapshot');
    expect(snapshot.operator).toBe('the tests');
    expect(snapshot.runs.length).toBeGreaterThan(0);
  });
});

describe('memory', () => {
  it('is not spent on runs that were over long ago; what they came to can still be had', async () => {
    const first = await coordinator.runs.create('iris', {}, false);
    const before = await coordinator.runs.act(first.id, 'stop');
    const { frame } = await coordinator.runs.model(first.id, 'nobody');
    for (let n = 0; n < ENDED_AT_HAND; n++) {
      const { id } = await coordinator.runs.create('iris', {}, false);
      await coordinator.runs.act(id, 'stop');
    }
    const atHand = () => [...coordinator.runs.engines()].map(({ id }) => id);
    await expect.poll(atHand).not.toContain(first.id);
    expect(coordinator.runs.get(first.id)).toEqual(before);
    expect((await coordinator.runs.model(first.id, 'nobody')).frame).toEqual(frame);
    expect(() => coordinator.runs.engine(first.id)).toThrow('is over');
  });

  it('is not spent on anybody who is gone and in no run that goes on', async () => {
    const run = await call<Run>('/api/runs', { method: 'POST', admin: true, body: { task: 'iris' } });
    const before = (await scrape())('coppice_participants_remembered');
    const joined = connect('in a run');
    const passing = connect('passing by');
    await Promise.all([next(joined, 'welcome'), next(passing, 'welcome')]);
    const reply = (await joined.emitWithAck('join', {
      run: run.body.id,
      device: 'headless',
      backend: 'cpu',
      examples: 0,
      speed: null,
      paused: false,
    })) as Reply<Joined>;
    expect(reply.ok).toBe(true);
    expect((await scrape())('coppice_participants_remembered')).toBe(before + 2);
    joined.disconnect();
    passing.disconnect();
    const remembered = (count: number) =>
      expect.poll(async () => (await scrape())('coppice_participants_remembered')).toBe(count);
    // Its row still tells of its traffic, until the run is over.
    await remembered(before + 1);
    await call(`/api/runs/${run.body.id}/stop`, { method: 'POST', admin: true });
    await remembered(before);
  });
});
