/** The credentials that a revocation ends: a session, a token, or all of an admin's. */
export type Revoked = { session: string } | { token: string } | { admin: string };

/** Tells of credentials that were revoked, so that what they opened is closed at once. */
export class Revocations {
  readonly #listeners = new Set<(revoked: Revoked) => void>();

  subscribe(listener: (revoked: Revoked) => void): void {
    this.#listeners.add(listener);
  }

  tell(revoked: Revoked): void {
    for (const listener of this.#listeners) listener(revoked);
  }
}
