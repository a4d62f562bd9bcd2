import { CoppiceError } from '@coppice/protocol';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const QUARTER_HOUR = 15 * 60;

/** Rate limits of failed sign-ins: a few for one name from one address, more for the address, which many people may share. */
export class LoginLimit {
  readonly #pair = new RateLimiterMemory({ points: 8, duration: QUARTER_HOUR });
  readonly #address = new RateLimiterMemory({ points: 100, duration: QUARTER_HOUR });

  /**
   * Counts an attempt before it is made, so that concurrent attempts cannot evade the limit. Returns a function that
   * takes it back.
   *
   * @throws CoppiceError `too-many-attempts`.
   */
  async attempt(address: string, name: string): Promise<() => Promise<void>> {
    const pair = `${address} ${name.toLowerCase()}`;
    try {
      await this.#pair.consume(pair);
      await this.#address.consume(address);
    } catch (thrown) {
      if (!(thrown instanceof RateLimiterRes)) throw thrown;
      const minutes = Math.ceil(thrown.msBeforeNext / 60_000);
      throw new CoppiceError(
        'too-many-attempts',
        `Too many failed attempts to sign in from here. Try again in ${minutes} min.`,
      );
    }
    return async () => {
      await this.#pair.reward(pair);
      await this.#address.reward(address);
    };
  }
}
