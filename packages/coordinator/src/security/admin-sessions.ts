import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export const SESSION_COOKIE = 'coppice_session';

/** What a request shows to prove that an admin sent it. */
export interface Credentials {
  readonly cookie?: string | undefined;
  readonly authorization?: string | undefined;
  readonly key?: string | undefined;
}

/** The admin key, and the browser sessions it was exchanged for. Sessions end with the process. */
export class AdminSessions {
  /** The admin key itself, to be printed once. */
  readonly key: string;
  readonly #sessions = new Set<string>();

  constructor(key: string) {
    this.key = key;
  }

  /** A session token for the right key; `null` for a wrong one. */
  login(key: string): string | null {
    if (!same(key, this.key)) return null;
    const token = randomBytes(32).toString('base64url');
    this.#sessions.add(token);
    return token;
  }

  logout(cookie: string | undefined): void {
    const token = sessionToken(cookie);
    if (token !== null) this.#sessions.delete(token);
  }

  allows({ cookie, authorization, key }: Credentials): boolean {
    if (key !== undefined && same(key, this.key)) return true;
    const bearer = authorization?.match(/^Bearer (.+)$/i)?.[1];
    if (bearer !== undefined && same(bearer, this.key)) return true;
    const token = sessionToken(cookie);
    return token !== null && this.#sessions.has(token);
  }
}

export function newAdminKey(): string {
  return randomBytes(24).toString('base64url');
}

function sessionToken(cookie: string | undefined): string | null {
  for (const part of cookie?.split(';') ?? []) {
    const [name, value] = part.trim().split('=', 2);
    if (name === SESSION_COOKIE && value !== undefined) return value;
  }
  return null;
}

/** Compares hashes, so that time tells neither content nor length. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
