import type { Clock } from './clock.ts';
import type { RandomSource } from './random.ts';

// setTimeout's delay is a signed 32-bit integer; a longer one fires at once.
const LONGEST_TIMER = 0x7fffffff;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => Math.floor(performance.now()),
  setTimer(milliseconds, fire) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      timer = setTimeout(
        left > LONGEST_TIMER ? () => wait(left - LONGEST_TIMER) : fire,
        Math.min(Math.max(0, left), LONGEST_TIMER),
      );
    };
    wait(milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Numbers drawn at once: a call of WebCrypto takes longer than hundreds of numbers. */
const drawn = new Uint32Array(1024);
let left = 0;

/** The machine's source of unpredictable bits (WebCrypto), fit for secrets. A number that was given away is not kept. */
export const systemRandom: RandomSource = {
  uint32() {
    if (left === 0) {
      globalThis.crypto.getRandomValues(drawn);
      left = drawn.length;
    }
    const number = drawn[--left] as number;
    drawn[left] = 0;
    return number;
  },
};
