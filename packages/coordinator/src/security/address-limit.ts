import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { addressKey } from './client-address.ts';

/** A rate limit by address. */
export class AddressLimit {
  readonly #limiter: RateLimiterMemory | null;

  /** @param points events allowed in the window; 0 sets no limit. @param seconds length of the window. */
  constructor(points: number, seconds: number) {
    this.#limiter = points === 0 ? null : new RateLimiterMemory({ points, duration: seconds });
  }

  /** Counts an event. @returns null, or the seconds to wait where it was over the limit. */
  async take(address: string): Promise<number | null> {
    if (this.#limiter === null) return null;
    try {
      await this.#limiter.consume(addressKey(address));
      return null;
    } catch (thrown) {
      if (!(thrown instanceof RateLimiterRes)) throw thrown;
      return Math.max(1, Math.ceil(thrown.msBeforeNext / 1000));
    }
  }
}
