import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Role, roleScopes, roles, type Scope } from '@coppice/protocol';
import type { Router } from 'express';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { accessTable, type Need } from '../http/access-table.ts';
import { apiRouter } from '../http/api.ts';
import { backUp, restore } from '../storage/backup.ts';
import { makeAdminKey } from './make-admin-key.ts';

const PASSWORD = 'correct horse battery';
let folder: string;
let coordinator: Coordinator;
const secrets: string[] = [PASSWORD];
const place = () => ({ port: 0, dataDir: join(folder, 'data'), logLevel: 'silent' });
const start = async () => {
  coordinator = await startCoordinator({ config: place() });
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-admins-'));
  await start();
});
afterAll(async () => {
  await coordinator.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What answers are looked at for; each has some of it. */
interface Body {
  account: object;
  admin: boolean;
  code: string;
  error: { code: string; message: string };
  id: string;
  link: string;
  paths: Record<string, object>;
  token: string;
}

/** One of a list of answers: an admin, a session, an entry of the audit log. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly own: boolean;
  readonly action: string;
}

interface Answer<T> {
  status: number;
  cookie: string;
  body: T;
}

async function call<T = Body>(
  method: string,
  path: string,
  { body, ...headers }: { body?: unknown; [header: string]: unknown } = {},
): Promise<Answer<T>> {
  const response = await fetch(coordinator.url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(headers as Record<string, string>),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] as string;
  if (cookie.includes('=')) secrets.push(cookie.slice(cookie.indexOf('=') + 1));
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, cookie, body: type.includes('json') ? JSON.parse(text) : text };
}

const keyOf = (link: string) => new URL(link).searchParams.get('key') as string;
const people: Record<string, string> = {};

it('the first link makes an owner once, however many use it at the same moment', async () => {
  const key = keyOf(coordinator.admin);
  secrets.push(key);
  const answers = await Promise.all([1, 2, 3, 4].map(() => call('POST', '/api/session', { body: { key } })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
  const first = answers.find(({ status }) => status === 200) as Answer<Body>;
  expect(first.body.account).toMatchObject({ role: 'owner', hasPassword: false, via: 'one-time-key' });
  people.owner = first.cookie;
  expect((await call('GET', '/api/admins', { cookie: people.owner })).body).toHaveLength(1);
});

it('who is not locked out: without a password the next start prints another link, with one it prints none', async () => {
  await coordinator.close();
  await start();
  secrets.push(keyOf(coordinator.admin));
  // The session outlived the restart.
  expect((await call('GET', '/api/session', { cookie: people.owner })).body.admin).toBe(true);
  const short = await call('PUT', '/api/account', { cookie: people.owner, body: { password: 'short' } });
  expect([short.status, short.body.error.code]).toEqual([422, 'password-too-short']);
  expect(
    (await call('PUT', '/api/account', { cookie: people.owner, body: { name: 'Ada', password: PASSWORD } }))
      .status,
  ).toBe(200);
  await coordinator.close();
  await start();
  expect(coordinator.admin).toBe(`${coordinator.url}/admin`);
  const back = await call('POST', '/api/session', { body: { name: 'ADA', password: PASSWORD } });
  expect(back.body.account).toMatchObject({ name: 'Ada', role: 'owner', via: 'password' });
});

it('a forgotten password: whoever may read the data folder gets in once, while the coordinator runs', async () => {
  const { link } = await makeAdminKey({ ...place(), databaseUrl: null, publicUrl: null, host: '127.0.0.1' });
  secrets.push(keyOf(link));
  const login = () => call('POST', '/api/session', { body: { key: keyOf(link) } });
  const opened = await login();
  expect(opened.body.account).toMatchObject({ name: 'Ada', role: 'owner' });
  expect((await login()).status).toBe(401);
  // A new password without the old one, which ends the sessions there were.
  const changed = await call('PUT', '/api/account', { cookie: opened.cookie, body: { password: PASSWORD } });
  expect(changed.status).toBe(200);
  expect((await call('GET', '/api/session', { cookie: people.owner })).body.admin).toBe(false);
  people.owner = opened.cookie;
});

it('the same answer for an unknown name and a wrong password, and an end to guessing', async () => {
  const guess = (name: string) =>
    call('POST', '/api/session', { body: { name, password: 'not the password' } });
  const [unknown, wrong] = [await guess('Nobody'), await guess('Ada')];
  expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body]);
  const codes = (await Promise.all(Array.from({ length: 9 }, () => guess('Mallory')))).map(
    ({ body }) => body.error.code,
  );
  expect(codes.filter((code) => code === 'too-many-attempts')).toHaveLength(1);
  // Somebody else from the same address is not kept out.
  expect((await call('POST', '/api/session', { body: { name: 'Ada', password: PASSWORD } })).status).toBe(
    200,
  );
}, 60_000);

it('invitations make admins of the role they say, once', async () => {
  for (const role of ['viewer', 'operator'] as const) {
    const made = await call('POST', '/api/admin-invitations', { cookie: people.owner, body: { role } });
    expect(made.status).toBe(201);
    expect(made.body.link).toBe(`${coordinator.url}/admin#invitation=${made.body.code}`);
    secrets.push(made.body.code);
    const accept = (name: string) =>
      call('POST', '/api/admin-invitations/accept', {
        body: { code: made.body.code, name, password: PASSWORD },
      });
    expect((await accept('ada')).body.error.code).toBe('admin-name-taken');
    const joined = await accept(`The ${role}`);
    expect(joined.body.account).toMatchObject({ name: `The ${role}`, role });
    expect((await accept('Again')).body.error.code).toBe('admin-invitation-invalid');
    people[role] = joined.cookie;
  }
}, 60_000);

const may = (role: Role | 'anyone', need: Need) =>
  need === 'public' || (role !== 'anyone' && (need === 'session' || roleScopes[role].includes(need)));

it('every role meets every route as the table says, and tokens as their scopes say', async () => {
  const made = await call('POST', '/api/tokens', {
    cookie: people.owner,
    body: { name: 'scraper', scopes: ['metrics:read'], days: 1 },
  });
  const { token } = made.body as { token: string };
  secrets.push(token);
  for (const [method, pattern, need] of accessTable) {
    // What changes whoever asks is tried elsewhere.
    if (pattern === '/api/session' && method === 'delete') continue;
    const path = pattern.replace(/:\w+/g, 'none');
    for (const role of ['anyone', ...roles] as const) {
      const { status, body } = await call(method.toUpperCase(), path, {
        ...(role === 'anyone' ? {} : { cookie: people[role] }),
        ...(method === 'get' ? {} : { body: { nonsense: true } }),
      });
      const expected = may(role, need) ? null : role === 'anyone' ? 'unauthorized' : 'forbidden';
      const code = body?.error?.code;
      if (expected === null)
        expect(['unauthorized', 'forbidden'], `${role} ${method} ${path}`).not.toContain(code);
      else
        expect([status, code], `${role} ${method} ${path}`).toEqual([
          expected === 'forbidden' ? 403 : 401,
          expected,
        ]);
      if (expected === 'forbidden') expect(body.error.message).toContain(need);
    }
    const byToken = await call(method.toUpperCase(), path, {
      authorization: `Bearer ${token}`,
      ...(method === 'get' ? {} : { body: { nonsense: true } }),
    });
    expect(byToken.body?.error?.code === 'forbidden', `token ${method} ${path}`).toBe(
      need !== 'public' && need !== ('metrics:read' satisfies Scope),
    );
  }
  expect((await call('GET', '/metrics', { authorization: `Bearer ${token}` })).status).toBe(200);
  await call('DELETE', `/api/tokens/${made.body.id}`, { cookie: people.owner });
  expect((await call('GET', '/metrics', { authorization: `Bearer ${token}` })).status).toBe(401);
});

it('the table has every route that there is, and the document too', async () => {
  const routes = (router: Router): string[] =>
    router.stack.flatMap((layer) => {
      if (layer.route !== undefined)
        return Object.keys((layer.route as unknown as { methods: object }).methods).map(
          (method) => `${method} /api${layer.route?.path}`,
        );
      return typeof layer.handle === 'function' && 'stack' in layer.handle
        ? routes(layer.handle as unknown as Router)
        : [];
    });
  const never = new Proxy({}, { get: () => () => {} });
  const real = routes(
    apiRouter({
      ...Object.fromEntries(
        ['runs', 'tasks', 'storage', 'models', 'admins', 'adminPage'].map((name) => [name, never]),
      ),
      operator: '',
      version: '',
    } as never),
  );
  expect(real.length).toBeGreaterThan(20);
  const table = accessTable.map(([method, path]) => `${method} ${path}`);
  expect(real.sort()).toEqual(table.filter((entry) => entry !== 'get /metrics').sort());
  const { body } = await call('GET', '/api/openapi.json');
  const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    path.startsWith('/api')
      ? Object.keys(methods).map((method) => `${method} ${path.replace(/{(\w+)}/g, ':$1')}`)
      : [],
  );
  expect(documented.sort()).toEqual(table.filter((entry) => entry !== 'get /metrics').sort());
  expect((await call('GET', '/api/nothing', { cookie: people.owner })).status).toBe(404);
});

it('a page of another site changes nothing with a visitor’s cookie', async () => {
  const body = { role: 'viewer' };
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ]) {
    const answer = await call('POST', '/api/admin-invitations', { cookie: people.owner, body, ...headers });
    expect([answer.status, answer.body.error.code]).toEqual([403, 'cross-site-request']);
  }
  expect((await call('GET', '/api/admin-invitations', { cookie: people.owner })).body).toEqual([]);
  const own = await call('POST', '/api/admin-invitations', {
    cookie: people.owner,
    body,
    origin: coordinator.url,
  });
  expect(own.status).toBe(201);
  secrets.push(own.body.code);
  await call('DELETE', `/api/admin-invitations/${own.body.id}`, { cookie: people.owner });
});

it('a session that is revoked is over at once, its socket too', async () => {
  const login = await call('POST', '/api/session', { body: { name: 'The viewer', password: PASSWORD } });
  const socket = io(`${coordinator.url}/admin`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    extraHeaders: { cookie: login.cookie },
  });
  await new Promise((resolve) => socket.once('snapshot', resolve));
  const closed = new Promise((resolve) => socket.once('disconnect', resolve));
  const sessions = await call<Row[]>('GET', '/api/sessions', { cookie: login.cookie });
  const own = sessions.body.find((one) => one.own);
  expect(new Set(sessions.body.map((one) => one.name))).toEqual(new Set(['The viewer']));
  expect((await call('DELETE', `/api/sessions/${own?.id}`, { cookie: people.owner })).status).toBe(200);
  await closed;
  expect((await call('GET', '/api/runs/none', { cookie: login.cookie })).status).toBe(401);
});

it('the last owner stays one; a role changes what is allowed at once; who is removed is out', async () => {
  const { body: all } = await call<Row[]>('GET', '/api/admins', { cookie: people.owner });
  const [owner, viewer] = ['Ada', 'The viewer'].map((name) => all.find((one) => one.name === name)?.id);
  for (const [method, body] of [
    ['PATCH', { role: 'viewer' }],
    ['DELETE', undefined],
  ] as const)
    expect((await call(method, `/api/admins/${owner}`, { cookie: people.owner, body })).body.error.code).toBe(
      'last-owner',
    );
  await call('PATCH', `/api/admins/${viewer}`, { cookie: people.owner, body: { role: 'operator' } });
  const launch = await call('POST', '/api/runs', {
    cookie: people.viewer,
    body: { task: 'iris', start: false },
  });
  expect(launch.status).toBe(201);
  await call('DELETE', `/api/admins/${viewer}`, { cookie: people.owner });
  expect((await call('GET', '/api/session', { cookie: people.viewer })).body.admin).toBe(false);
  const { body: log } = await call('GET', '/api/audit?action=run-launched', { cookie: people.owner });
  expect(log).toMatchObject([
    {
      name: 'The viewer',
      admin: viewer,
      target: launch.body.id,
      address: expect.stringContaining('127.0.0.1'),
    },
  ]);
});

it('the log knows all of it, and can only be read', async () => {
  const { body: log } = await call<Row[]>('GET', '/api/audit', { cookie: people.owner });
  expect(new Set(log.map(({ action }) => action))).toEqual(
    new Set([
      'login',
      'login-failed',
      'account-changed',
      'one-time-key-made',
      'admin-invited',
      'admin-joined',
      'token-made',
      'token-revoked',
      'admin-invitation-withdrawn',
      'session-revoked',
      'admin-role-changed',
      'run-launched',
      'admin-removed',
    ]),
  );
  const page = await call<Row[]>('GET', `/api/audit?before=${log[2]?.id}`, { cookie: people.owner });
  expect(log[3]).toBeDefined();
  expect(page.body[0]?.id).toBe(log[3]?.id);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    expect((await call(method, '/api/audit', { cookie: people.owner, body: {} })).status).toBe(404);
});

it('nothing stored holds a secret in clear, and all of it comes back from a backup', async () => {
  const { body: before } = await call('GET', '/api/audit', { cookie: people.owner });
  await backUp({ ...defaultConfig, dataDir: join(folder, 'data') }, join(folder, 'backup'));
  await coordinator.close();
  expect(secrets.length).toBeGreaterThan(10);
  for (const at of ['data', 'backup'])
    for (const file of readdirSync(join(folder, at)).filter((name) => name.startsWith('coppice.db'))) {
      const bytes = readFileSync(join(folder, at, file));
      for (const secret of secrets) expect(bytes.includes(secret), `${secret} in ${at}/${file}`).toBe(false);
    }
  await restore(join(folder, 'backup'), { ...defaultConfig, dataDir: join(folder, 'restored') });
  coordinator = await startCoordinator({ config: { ...place(), dataDir: join(folder, 'restored') } });
  expect((await call('GET', '/api/audit', { cookie: people.owner })).body).toEqual(before);
});
