import { createHash } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { type Identity, secretKeyIdentity } from '../identity.ts';

/** The same name, the same participant, on any machine. For simulations only: it can be guessed. */
export function headlessIdentity(name: string): Identity {
  // 48 bytes, of which FIPS 186-5 (A.2.1) makes a key without bias.
  const seed = createHash('sha384').update(name).digest();
  return secretKeyIdentity(p256.utils.randomSecretKey(new Uint8Array(seed)));
}
