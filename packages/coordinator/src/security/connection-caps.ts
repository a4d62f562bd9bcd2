import { addressKey } from './client-address.ts';

/** How many sockets may be open at once; 0 sets no limit. */
export interface Caps {
  readonly total: number;
  readonly perAddress: number;
}

/**
 * Counts open sockets, in all and for each address. One over a cap is let in far enough to be told why it
 * cannot stay; with twice as many, no more are let in at all.
 */
export class ConnectionCaps {
  readonly #caps: Caps;
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(caps: Caps) {
    this.#caps = caps;
  }

  /** Whether one more from this address cannot even be told why. */
  shut(address: string): boolean {
    return this.#exceeds(address, 2, 1);
  }

  /** Counts a socket that opened. @returns whether it may stay, and what to call once it has closed. */
  opened(address: string): { readonly over: boolean; readonly closed: () => void } {
    const key = addressKey(address);
    this.#total++;
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    const over = this.#exceeds(address, 1, 0);
    let open = true;
    const closed = () => {
      if (!open) return;
      open = false;
      this.#total--;
      const rest = (this.#open.get(key) ?? 1) - 1;
      if (rest === 0) this.#open.delete(key);
      else this.#open.set(key, rest);
    };
    return { over, closed };
  }

  /** Whether the sockets that are open, and `more`, are over `times` a cap. */
  #exceeds(address: string, times: number, more: number): boolean {
    const { total, perAddress } = this.#caps;
    const here = (this.#open.get(addressKey(address)) ?? 0) + more;
    return (total > 0 && this.#total + more > times * total) || (perAddress > 0 && here > times * perAddress);
  }
}
