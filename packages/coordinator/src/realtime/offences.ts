import type { Clock } from '@coppice/ports';
import { CoppiceError, type ErrorCode, MAX_TEXT, type WireError } from '@coppice/protocol';

/** Consecutive offences that end a participant's connection. */
export const MAX_OFFENCES = 20;
/** Milliseconds after which one offence is forgiven: a bad network damages a frame now and then. */
export const FORGIVEN_EVERY = 60_000;
/** The most participants whose offences are remembered; the earliest are forgotten first. */
export const MAX_REMEMBERED = 10_000;

/**
 * Codes of refusals that an honest program never receives repeatedly. Late, duplicate and unasked updates are not among
 * them, since networks and restarts cause those, nor are unknown messages, since newer programs send them. Updates that
 * are not finite or too long are declined by an honest device, and never sent.
 */
const offending: ReadonlySet<ErrorCode> = new Set([
  'message-invalid',
  'frame-invalid',
  'update-shape',
  'update-not-finite',
  'update-out-of-range',
  'update-norm',
  'update-measure',
  // Somebody guesses: who was sent a link that is worth nothing does not try it twenty times.
  'invitation-invalid',
  'update-not-offered',
  'frame-too-large',
]);

/** A full bucket, in the milliseconds that it takes to drain. */
const FULL = MAX_OFFENCES * FORGIVEN_EVERY;

interface Bucket {
  readonly level: number;
  readonly since: number;
}

/**
 * Rate limiter of offences, by participant, not by connection, so that a new connection resets nothing: one leaky
 * bucket each.
 */
export class Offences {
  readonly #clock: Clock;
  /** Most recent offender last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns true where this refusal exceeds the limit. */
  refused(participant: string, code: ErrorCode): boolean {
    if (!offending.has(code)) return false;
    // What is over the limit already, by messages that were under way, does not make the wait longer.
    const level = Math.min(FULL, this.#level(participant) + FORGIVEN_EVERY);
    this.#buckets.delete(participant);
    this.#buckets.set(participant, { level, since: this.#clock.elapsed() });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_REMEMBERED && oldest !== undefined) this.#buckets.delete(oldest);
    // Time between two messages has leaked a part of an offence: what counts is that no room is left for another.
    return level > FULL - FORGIVEN_EVERY;
  }

  /** Milliseconds until one more offence is allowed; 0 where it is. */
  wait(participant: string): number {
    return Math.max(0, this.#level(participant) - (FULL - FORGIVEN_EVERY));
  }

  #level(participant: string): number {
    const bucket = this.#buckets.get(participant);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.level - (this.#clock.elapsed() - bucket.since));
  }
}

/** The error for a participant over its offence limit, with the wait and the last refusal. */
export function tooManyOffences(wait: number, last: WireError | null): CoppiceError {
  const seconds = Math.ceil(wait / 1000);
  return new CoppiceError(
    'too-many-offences',
    `Too many messages of this participant could not be used; it may connect again in ${seconds} s.${last === null ? '' : ` The last: ${last.message}`}`.slice(
      0,
      MAX_TEXT,
    ),
    { retryAfter: wait },
  );
}
