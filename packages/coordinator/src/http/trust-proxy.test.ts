import { afterEach, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

let coordinator: Coordinator | null = null;
afterEach(async () => {
  await coordinator?.close();
  coordinator = null;
});

/** What an owner's sign-in looks like from inside, and the cookie it got. */
async function signIn(trustProxy: string | null, forwarded: Record<string, string>) {
  const running = await startCoordinator({
    config: { port: 0, logLevel: 'silent', trustProxy },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  coordinator = running;
  const key = new URL(running.admin).searchParams.get('key');
  const response = await fetch(`${running.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...forwarded },
    body: JSON.stringify({ key }),
  });
  expect(response.ok).toBe(true);
  const [session] = await running.storage.adminSessions();
  return { address: session?.address, cookie: response.headers.get('set-cookie') ?? '' };
}

const forged = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };

it('believes nobody about where a request comes from, unless told whom', async () => {
  const { address, cookie } = await signIn(null, forged);
  expect(address).toMatch(/127\.0\.0\.1$/);
  expect(cookie).not.toMatch(/Secure/i);
});

it.each(['1', 'loopback', '127.0.0.0/8,::1'])('believes the proxy it was told of: %s', async (proxies) => {
  const { address, cookie } = await signIn(proxies, forged);
  expect(address).toBe('203.0.113.7');
  expect(cookie).toMatch(/^__Host-.*Secure/i);
});

it('believes no other', async () => {
  expect((await signIn('10.0.0.0/8', forged)).address).toMatch(/127\.0\.0\.1$/);
});

it('takes the word of the last proxy, not what a visitor wrote before it', async () => {
  const { address } = await signIn('1', { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' });
  expect(address).toBe('203.0.113.7');
});

it.each(['0', 'true', 'everyone', '10.0.0.0/33', '1.2.3', '10.0.0.1;::1', '10.0.0.1/8/8'])(
  'cannot be told to trust "%s"',
  (given) => {
    expect(() => readConfig(['--trust-proxy', given], {})).toThrow(/trust-proxy/);
  },
);
