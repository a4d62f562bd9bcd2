import type { Clock } from '@coppice/ports';
import type { ErrorCode } from '@coppice/protocol';

/** So many offences in a row end a connection. */
export const MAX_OFFENCES = 20;
/** One offence is forgiven each minute: a bad network damages a frame now and then. */
export const FORGIVEN_EVERY = 60_000;

/**
 * What no honest program sends again and again. Late, stale, duplicate and unasked updates are not here:
 * networks and restarts make them of honest ones. Nor are too many examples: a person has those.
 */
const offending: ReadonlySet<ErrorCode> = new Set([
  'message-invalid',
  'frame-invalid',
  'update-shape',
  'update-not-finite',
  'update-out-of-range',
  'update-norm',
  'update-not-offered',
  'frame-too-large',
]);

/** The offences of one connection: a bucket that fills with each and leaks with time. */
export class Offences {
  readonly #clock: Clock;
  #count = 0;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** @returns whether this refusal is one too many. */
  refused(code: ErrorCode): boolean {
    if (!offending.has(code)) return false;
    const now = this.#clock.now();
    this.#count = Math.max(0, this.#count - Math.max(0, now - this.#since) / FORGIVEN_EVERY) + 1;
    this.#since = now;
    return this.#count >= MAX_OFFENCES;
  }
}
