import { PROTOCOL_VERSION } from '@coppice/protocol';
import { anyText, mutated, samplePlan, sampleTask } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { accessTable } from './access-table.ts';

const KEY = 'a-key-for-tests';
let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(() => coordinator.close());

const { samples: _samples, planDefaults: _defaults, ...newTask } = sampleTask;

/** What is valid for each route that reads a body. */
const bodies: Readonly<Record<string, readonly unknown[]>> = {
  '/api/runs': [{ task: 'iris', plan: samplePlan, start: false }],
  '/api/tasks': [newTask],
  // A name with its password takes its 128 MiB by design, and is limited: the key stands for both.
  '/api/session': [{ key: 'guess' }],
  '/api/account': [{ name: 'Ada', password: 'a long enough one', current: 'x' }],
  '/api/tokens': [{ name: 'a', scopes: ['runs:read'], days: 3 }],
  '/api/admin-invitations': [{ role: 'viewer' }],
  '/api/admins/:admin': [{ role: 'viewer' }],
  '/api/admin-invitations/accept': [{ code: 'a', name: 'Ada', password: 'too short' }],
};

async function ask(method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(coordinator.url + path, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) ?? 'undefined' }),
  });
  const text = await response.text();
  const what = `${method} ${path} ${JSON.stringify(body)?.slice(0, 300)}: ${response.status} ${text.slice(0, 300)}`;
  // What is missing in this coordinator (built pages) may be said; nothing may have gone wrong.
  expect(response.status < 500 || response.status === 503, what).toBe(true);
  if (response.status >= 400) expect(JSON.parse(text), what).toHaveProperty('error.code');
}

it.each(Object.entries(bodies))('%s takes any body, or refuses it by name', async (path, valid) => {
  const method = accessTable.find(
    ([verb, route]) => route === path && verb !== 'get' && verb !== 'delete',
  )?.[0];
  expect(method).toBeDefined();
  await fc.assert(
    fc.asyncProperty(mutated(...valid), (body) =>
      ask(method as string, path.replace(/:\w+/, 'someone'), body),
    ),
    { numRuns: path === '/api/tasks' ? 60 : 40 },
  );
  await ask('get', '/api/info');
});

it.each(accessTable.map(([method, path]) => [method, path] as const))(
  '%s %s takes any parameter and query',
  async (method, path) => {
    const word = fc.oneof(
      anyText,
      fc.constantFrom('%', '%00', '%E0%A4%A', '..', '__proto__', 'latest', 'iris', '1'),
    );
    await fc.assert(
      fc.asyncProperty(
        word,
        fc.dictionary(fc.constantFrom('run', 'after', 'before', 'admin', 'action', 'share', 'of'), word),
        fc.boolean(),
        async (name, query, encoded) => {
          const safe = (text: string) =>
            encoded ? encodeURIComponent(text.toWellFormed()) : text.replace(/[^!-~]|[?#]/g, '%');
          const search = Object.entries(query)
            .map(([field, text]) => `${field}=${safe(text)}`)
            .join('&');
          // Nobody is signed out, and what is made is made above.
          await ask(method, `${path.replaceAll(/:\w+/g, () => safe(name) || 'x')}?${search}`);
        },
      ),
      { numRuns: 20 },
    );
  },
);

it('speaks the version that was tried', async () => {
  const response = await fetch(`${coordinator.url}/api/info`);
  expect(await response.json()).toMatchObject({ protocol: PROTOCOL_VERSION });
});
