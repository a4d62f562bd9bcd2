import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { addressKey } from './client-address.ts';

/** So many of something for one address in a span of time. */
export class AddressLimit {
  readonly #limiter: RateLimiterMemory | null;

  /** @param points how many; 0 sets no limit. @param seconds the span of time. */
  constructor(points: number, seconds: number) {
    this.#limiter = points === 0 ? null : new RateLimiterMemory({ points, duration: seconds });
  }

  /** Counts one. @returns null, or how many seconds to wait where it was one too many. */
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
