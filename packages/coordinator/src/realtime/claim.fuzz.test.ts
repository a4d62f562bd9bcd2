import { createECDH } from 'node:crypto';
import { PROTOCOL_VERSION } from '@coppice/protocol';
import { anyText, anyValue, mutated, survives } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimOf, proves } from './claim.ts';

const curve = createECDH('prime256v1');
curve.setPrivateKey(Buffer.alloc(32, 7));
const key = curve.getPublicKey().toString('base64url');
const hello = { protocol: PROTOCOL_VERSION, oldest: PROTOCOL_VERSION, features: ['codec:int4'], key };

describe('a handshake', () => {
  it('is a claim or is refused by name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: mutated(hello) }, anyValue), async (auth) => {
        const result = await survives(() => claimOf(auth));
        if ('refused' in result)
          expect(['identity-invalid', 'protocol-too-old', 'protocol-too-new']).toContain(result.refused.code);
        else expect(result.value.participant).toMatch(/^[0-9a-f]{32}$/);
      }),
      { numRuns: 500 },
    );
  });

  it('is proved by nothing but a signature', async () => {
    const claim = await claimOf(hello);
    await fc.assert(
      fc.asyncProperty(anyText, anyText, anyText, async (signature, host, nonce) => {
        expect(await proves(claim, signature, { hosts: [host], nonce })).toBe(false);
      }),
    );
  });
});
