import { p256 } from '@noble/curves/nist.js';
import { cryptoKeyIdentity, type Identity, secretKeyIdentity } from '../identity.ts';
import type { CoppiceDb } from './idb-data.ts';

/** What is kept: keys that the browser does not give out, or, where it has no WebCrypto, the key itself. */
type Kept = CryptoKeyPair | Uint8Array;

/**
 * Who this browser is, made once and kept in IndexedDB. The private key cannot be read from there, by this
 * page or any other program, except on a page without HTTPS: there browsers have no WebCrypto, and the key
 * lies open to whatever runs under the same address, as everything on such a page does.
 */
export async function ownIdentity(db: CoppiceDb): Promise<Identity> {
  const known: unknown = await db.get('keyval', 'identity');
  // Made before the transaction: it would not wait for that.
  const kept = isKept(known) ? known : await keep(db, await fresh());
  return kept instanceof Uint8Array ? secretKeyIdentity(kept) : cryptoKeyIdentity(kept);
}

/** Another tab may have been faster: the first stays. */
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
