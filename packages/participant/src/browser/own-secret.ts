import type { RandomSource } from '@coppice/ports';
import { randomBytes } from '../marks.ts';
import type { CoppiceDb } from './idb-data.ts';

const KEY = 'split-secret';
const BYTES = 32;

/**
 * Returns the secret that decides which of this browser's examples are held out, 32 bytes. It is made once, and kept
 * beside the identity and the examples: the browser deletes all of them together.
 */
export async function ownSecret(db: CoppiceDb, random: RandomSource): Promise<Uint8Array> {
  // One transaction: of two tabs, the second reads what the first made.
  const transaction = db.transaction('keyval', 'readwrite', { durability: 'strict' });
  const known: unknown = await transaction.store.get(KEY);
  const kept = known instanceof Uint8Array && known.length === BYTES;
  const secret = kept ? known : randomBytes(BYTES, random);
  if (!kept) await transaction.store.put(secret, KEY);
  await transaction.done;
  return secret;
}
