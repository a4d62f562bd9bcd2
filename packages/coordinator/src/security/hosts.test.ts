import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostKnown } from './hosts.ts';

describe('a Host over plain HTTP', () => {
  it.each([
    'localhost',
    'localhost:8080',
    '127.0.0.1:8080',
    '192.168.1.20:8080',
    '[::1]:8080',
    '[fe80::1]',
    'lab-machine:8080',
    'lab-machine.local:8080',
    'coppice.fritz.home.arpa',
    'LOCALHOST',
  ])('%s can only be this machine or its network', (host) => {
    expect(hostKnown(host, null)).toBe(true);
  });
  it.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'local.evil.com',
    '1.2.3.4.nip.io',
    'a b',
    '',
    '@',
  ])('%s may be anybody’s', (host) => {
    expect(hostKnown(host, null)).toBe(false);
  });
  it('is known where the public address has it, by whatever port', () => {
    expect(hostKnown('learn.example.org', 'https://learn.example.org/')).toBe(true);
    expect(hostKnown('learn.example.org:8080', 'https://learn.example.org/')).toBe(true);
    expect(hostKnown('learn.example.org.evil.example', 'https://learn.example.org/')).toBe(false);
  });
  it('may be missing: no browser leaves it out', () => {
    expect(hostKnown(undefined, null)).toBe(true);
  });
});

it('a Host of any content is known or not, and throws nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.domain(), fc.ipV6()), (host) => {
      expect(hostKnown(host, 'https://learn.example.org/')).toBeTypeOf('boolean');
    }),
    { numRuns: 1000 },
  );
});
