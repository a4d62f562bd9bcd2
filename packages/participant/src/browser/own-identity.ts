import { p256 } from '@noble/curves/nist.js';
import { cryptoKeyIdentity, type Identity, secretKeyIdentity } from '../identity.ts';
import type { CoppiceDb } from './idb-data.ts';

/** The stored identity: non-extractable keys, or, where the browser has no WebCrypto, the secret key itself. */
type Kept = CryptoKeyPair | Uint8Array;

/**
 * Returns this browser's identity, made once and stored in IndexedDB. Its private key is not extractable, by this page
 * or any other program, except on a page without HTTPS: there browsers have no WebCrypto, and the key is readable for
 * all code of the same origin, as everything on such a page is.
 */
export async function ownIdentity(db: CoppiceDb): Promise<Identity> {
  const known: unknown = await db.get('keyval', 'identity');
  // Made before the transaction: it would not wait for that.
  const kept = isKept(known) ? known : await keep(db, await fresh());
  return kept instanceof Uint8Array ? secretKeyIdentity(kept) : cryptoKeyIdentity(kept);
}

/** Stores a new identity, unless another tab was faster: the first stays. */
async function keep(db: CoppiceDb, made: Kept): Promise<Kept> {
  const transaction = db.transaction('keyval', 'readwrite');
  const known: unknown = await transaction.store.get('identity');
  if (!isKept(known)) await transaction.store.put(made, 'identity');
  await transaction.done;
  return isKept(known) ? known : made;
}

function fresh(): Promise<Kept> | Kept {
  if (!isSecureContext) return p256.utils.randomSecretKey();
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
}

function isKept(value: unknown): value is Kept {
  if (value instanceof Uint8Array) return p256.utils.isValidSecretKey(value);
  // Pages without HTTPS do not even know the word CryptoKey.
  if (!isSecureContext) return false;
  const { publicKey, privateKey } = (value ?? {}) as Partial<CryptoKeyPair>;
  return publicKey instanceof CryptoKey && privateKey instanceof CryptoKey;
}
