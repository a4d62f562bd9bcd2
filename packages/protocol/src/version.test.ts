import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { codecs } from './codec.ts';
import { downMessages } from './down.ts';
import { FRAME_HEADER_BYTES, FRAME_VERSION, frameKinds } from './frame.ts';
import { HelloSchema } from './up/hello.ts';
import { upMessages } from './up.ts';
import { OLDEST_SERVED_VERSION, PROTOCOL_VERSION } from './version.ts';

/**
 * The digest of everything that travels, per version. When this fails, the wire has changed: a page
 * that someone opened yesterday may no longer be understood. Either undo the change, or raise
 * PROTOCOL_VERSION, add a line to its history in version.ts and to docs/protocol.md, and put the new
 * digest here beside the old ones.
 */
const digests: Record<number, string> = {
  1: 'f438cf048dc2ece108fd29e05a656120',
  2: '20c99690a096c509bb49f1e6d64de1d3',
  3: '077e69b1c8728a5e6c8c66fefd8374dd',
  4: '0e947e702292742e84581a37750b6427',
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
  const json = (schema: z.ZodMiniType) => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const wire = {
    hello: json(HelloSchema),
    up: Object.fromEntries(
      Object.entries(upMessages).map(([name, { schema, reply }]) => [
        name,
        { schema: json(schema), reply: reply && json(reply) },
      ]),
    ),
    down: Object.fromEntries(Object.entries(downMessages).map(([name, schema]) => [name, json(schema)])),
    frame: { FRAME_HEADER_BYTES, FRAME_VERSION, frameKinds, codecs },
  };
  return createHash('sha256')
    .update(JSON.stringify(canonical(wire)))
    .digest('hex')
    .slice(0, 32);
}

describe('the protocol', () => {
  it('has not changed without a new version', () => {
    expect(digest()).toBe(digests[PROTOCOL_VERSION]);
  });

  it('serves no version that never was', () => {
    expect(OLDEST_SERVED_VERSION).toBeGreaterThanOrEqual(1);
    expect(OLDEST_SERVED_VERSION).toBeLessThanOrEqual(PROTOCOL_VERSION);
    for (let version = 1; version <= PROTOCOL_VERSION; version++) expect(digests[version]).toBeDefined();
  });
});
