import { webcrypto } from 'node:crypto';
import { proofBytes } from '@coppice/protocol';
import { p256 } from '@noble/curves/nist.js';
import { expect, it } from 'vitest';
import { cryptoKeyIdentity, type Identity, secretKeyIdentity } from './identity.ts';
import { headlessIdentity } from './node/headless-identity.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };

/** What Node's own cryptography says of a signature. */
async function verified(key: string, signature: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const point = Buffer.from(key, 'base64url');
  const imported = await webcrypto.subtle.importKey('raw', point, CURVE, false, ['verify']);
  const how = { name: 'ECDSA', hash: 'SHA-256' };
  return webcrypto.subtle.verify(how, imported, Buffer.from(signature, 'base64url'), bytes);
}

const made: [string, () => Promise<Identity>][] = [
  [
    'a key of the platform',
    async () => cryptoKeyIdentity(await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])),
  ],
  ['a key in memory', async () => secretKeyIdentity(p256.utils.randomSecretKey())],
  ['a key that follows from a name', async () => headlessIdentity('client 7')],
];
it.each(made)('%s signs what the platform verifies', async (_, make) => {
  const identity = await make();
  expect(identity.key).toMatch(/^[A-Za-z0-9_-]{87}$/);
  const bytes = proofBytes('localhost:8080', '0'.repeat(64));
  const signature = await identity.sign(bytes);
  expect(signature).toMatch(/^[A-Za-z0-9_-]{86}$/);
  expect(await verified(identity.key, signature, bytes)).toBe(true);
  expect(await verified(identity.key, signature, proofBytes('localhost:8081', '0'.repeat(64)))).toBe(false);
  expect(await verified(headlessIdentity('another').key, signature, bytes)).toBe(false);
});

it('is the same for the same name, and another for another', () => {
  expect(headlessIdentity('client 7').key).toBe(headlessIdentity('client 7').key);
  const keys = new Set(Array.from({ length: 50 }, (_, n) => headlessIdentity(`client ${n}`).key));
  expect(keys.size).toBe(50);
});
