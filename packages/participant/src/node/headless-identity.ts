import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import type { Identity } from '../identity.ts';

/**
 * Derives an identity from a name: the same participant on any machine. For simulations only, since it can be guessed.
 * It uses Node's own cryptography for speed: a simulation makes a thousand identities.
 */
export function headlessIdentity(name: string): Identity {
  // 48 bytes, of which FIPS 186-5 (A.2.1) makes a key without bias.
  const seed = createHash('sha384').update(name).digest();
  const secret = p256.utils.randomSecretKey(new Uint8Array(seed));
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(secret);
  // Uncompressed: a byte, x, y.
  const point = pair.getPublicKey();
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), Buffer.from(secret)].map((bytes) =>
    bytes.toString('base64url'),
  ) as [string, string, string];
  const jwk = { kty: 'EC', crv: 'P-256', x, y, d } as const;
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    key: point.toString('base64url'),
    sign: async (bytes) => sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  };
}

/** Derives the secret of a headless device's split from its name, 32 bytes: the same split on any machine. */
export function headlessSecret(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`split/${name}`).digest());
}
