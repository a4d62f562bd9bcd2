import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { CoppiceError, MIN_PASSWORD } from '@coppice/protocol';
import { oneAtATime } from '../storage/one-at-a-time.ts';

/** OWASP's parameters for scrypt: 128 MiB for each guess. Stored with each hash, so that they can be raised. */
const COST = { N: 2 ** 17, r: 8, p: 1 };
const BYTES = 32;
/** The most waiting computations: each takes 128 MiB and a good part of a second. */
const MOST_WAITING = 20;

// In libuv's threads, never on the event loop; one after the other, for the memory's sake.
const exclusively = oneAtATime();
let waiting = 0;

async function derive(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  if (waiting >= MOST_WAITING)
    throw new CoppiceError('too-many-attempts', 'Too many people are signing in at once. Try again soon.');
  waiting++;
  try {
    return await exclusively(
      () =>
        new Promise<Buffer>((resolve, reject) =>
          scrypt(
            password.normalize('NFKC'),
            salt,
            BYTES,
            { ...cost, maxmem: 256 * cost.N * cost.r * cost.p },
            (error, key) => (error === null ? resolve(key) : reject(error)),
          ),
        ),
    );
  } finally {
    waiting--;
  }
}

/** @throws CoppiceError `password-too-short`. */
export async function hashPassword(password: string): Promise<string> {
  ensureLength(password);
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** @throws CoppiceError `password-too-short`. */
export function ensureLength(password: string): void {
  if ([...password].length < MIN_PASSWORD)
    throw new CoppiceError(
      'password-too-short',
      `A password has at least ${MIN_PASSWORD} characters, any you like. A few words are a good one.`,
    );
}

/** Compares a password with a stored hash. Takes as long where there is no hash to compare with. */
export async function passwordFits(password: string, stored: string | null): Promise<boolean> {
  if (stored === null) {
    await derive(password, Buffer.alloc(16), COST);
    return false;
  }
  const [, N, r, p, salt = '', key = ''] = stored.split('$');
  const expected = Buffer.from(key, 'base64url');
  const given = await derive(password, Buffer.from(salt, 'base64url'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  });
  return expected.length === given.length && timingSafeEqual(expected, given);
}
