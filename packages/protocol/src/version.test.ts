import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeWire } from './json-schemas.ts';
import { OLDEST_SERVED_VERSION, PROTOCOL_VERSION, RELEASED_VERSION } from './version.ts';

/**
 * Digests of everything that travels, by released version. They are never edited: participants with these versions are
 * out there. A release moves the digest of `unreleased` here and raises RELEASED_VERSION.
 */
const released: Readonly<Record<number, string>> = {
  1: 'f438cf048dc2ece108fd29e05a656120',
  2: '20c99690a096c509bb49f1e6d64de1d3',
  3: '077e69b1c8728a5e6c8c66fefd8374dd',
};

/**
 * The version that is being made; `null`: none is. Its digest follows the schemas. When a released version's test fails,
 * undo the change, or raise PROTOCOL_VERSION, name it here, and add lines to its history in version.ts and in
 * docs/protocol.md.
 */
const unreleased: { readonly version: number; readonly digest: string } | null = {
  version: 4,
  digest: '31a441aa3061f4d5a65edb4e719efd03',
};

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}

function digest(): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(describeWire())))
    .digest('hex')
    .slice(0, 32);
}

describe('the protocol', () => {
  it('has the messages that its version has', () => {
    const known = unreleased === null ? released[RELEASED_VERSION] : unreleased.digest;
    expect(digest()).toBe(known);
  });

  it('has one digest for each released version, and at most one version after them', () => {
    const versions = Array.from({ length: RELEASED_VERSION }, (_, i) => String(i + 1));
    expect(Object.keys(released)).toEqual(versions);
    expect(new Set([...Object.values(released), unreleased?.digest]).size).toBeGreaterThanOrEqual(
      RELEASED_VERSION,
    );
    expect(unreleased?.version ?? RELEASED_VERSION).toBe(PROTOCOL_VERSION);
    expect(PROTOCOL_VERSION - RELEASED_VERSION).toBe(unreleased === null ? 0 : 1);
  });

  it('serves no version that never was', () => {
    expect(OLDEST_SERVED_VERSION).toBeGreaterThanOrEqual(1);
    expect(OLDEST_SERVED_VERSION).toBeLessThanOrEqual(PROTOCOL_VERSION);
  });
});
