import type { Clock } from '@coppice/ports';
import { CoppiceError, type ErrorCode, MAX_TEXT, type WireError } from '@coppice/protocol';

/** So many offences in a row end a participant's connection: the last of them is one too many. */
export const MAX_OFFENCES = 20;
/** One offence is forgiven each minute: a bad network damages a frame now and then. */
export const FORGIVEN_EVERY = 60_000;
/** So many participants' offences are remembered; beyond, those that offended longest ago are forgotten first. */
export const MAX_REMEMBERED = 10_000;

/**
 * Codes of refusals that no honest program meets again and again. Late, duplicate and unasked updates are not among them:
 * networks and restarts make them of honest ones. Nor are unknown messages: a newer program sends those. An update that is
 * not finite or too long is declined by the device that made it, and never sent.
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

/** In the milliseconds that it takes to be forgiven. */
const FULL = MAX_OFFENCES * FORGIVEN_EVERY;

interface Bucket {
  readonly level: number;
  readonly since: number;
}

/**
 * Everybody's offences, by participant and not by connection, so that connecting anew wipes nothing out:
 * a bucket each that fills with an offence and leaks with time.
 */
export class Offences {
  readonly #clock: Clock;
  /** Those that offended last come last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether this refusal is one too many. */
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

  /** Milliseconds until there is room for one offence again; 0 where there is. */
  wait(participant: string): number {
    return Math.max(0, this.#level(participant) - (FULL - FORGIVEN_EVERY));
  }

  #level(participant: string): number {
    const bucket = this.#buckets.get(participant);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.level - (this.#clock.elapsed() - bucket.since));
  }
}

/** Tells a participant with a full bucket when it is heard again, and the last refusal that filled it. */
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
