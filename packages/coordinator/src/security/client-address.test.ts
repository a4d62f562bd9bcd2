import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, clientAddress, secureRequest, trustOf } from './client-address.ts';

const request = (remoteAddress: string | undefined, headers: Record<string, string> = {}, tls = false) =>
  ({ socket: { remoteAddress, ...(tls ? { encrypted: true } : {}) }, headers }) as unknown as IncomingMessage;

describe('limits count', () => {
  it('an IPv4 address as itself, however it is written', () => {
    expect(addressKey('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(addressKey('192.0.2.7')).toBe('192.0.2.7');
  });
  it('IPv6 addresses by their first 64 bits', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const eight = fc.tuple(group, group, group, group, group, group, group, group);
    const text = (groups: readonly number[]) => groups.map((one) => one.toString(16)).join(':');
    fc.assert(
      fc.property(eight, eight, (a, b) => {
        // ::ffff:0:0/96 is IPv4 in another dress.
        fc.pre(a.slice(0, 4).some((one) => one !== 0) && b.slice(0, 4).some((one) => one !== 0));
        const sameNetwork = text(a.slice(0, 4)) === text(b.slice(0, 4));
        expect(addressKey(text(a)) === addressKey(text(b))).toBe(sameNetwork);
        expect(addressKey(text(a))).toBe(addressKey(text([...a.slice(0, 4), ...b.slice(4)])));
      }),
    );
  });
  it('anything by something, and throws nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (address) => {
        expect(addressKey(address)).toBeTypeOf('string');
      }),
    );
  });
  it('what is no address as it is', () => {
    expect(addressKey('')).toBe('');
    expect(addressKey('a socket')).toBe('a socket');
  });
});

describe('forwarded headers', () => {
  const forged = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
  it.each([
    [null, '127.0.0.1', false],
    ['1', '203.0.113.7', true],
    ['loopback', '203.0.113.7', true],
    ['10.0.0.0/8', '127.0.0.1', false],
  ])('with --trust-proxy %s give the address %s', (trustProxy, address, secure) => {
    const trust = trustOf(trustProxy);
    expect(clientAddress(request('127.0.0.1', forged), trust)).toBe(address);
    expect(secureRequest(request('127.0.0.1', forged), trust)).toBe(secure);
  });
  it('are not needed where this process speaks TLS itself', () => {
    expect(secureRequest(request('127.0.0.1', {}, true), trustOf(null))).toBe(true);
  });
  it('of a connection that has gone say nothing', () => {
    expect(clientAddress(request(undefined, forged), trustOf('1'))).toBe('');
    expect(secureRequest(request(undefined, forged), trustOf('1'))).toBe(false);
  });
});
