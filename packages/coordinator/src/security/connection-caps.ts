import { addressKey } from './client-address.ts';

/** Limits of open sockets; 0 sets no limit. */
export interface Caps {
  readonly total: number;
  readonly perAddress: number;
}

/**
 * Counts open sockets, in total and by address. Sockets over a cap are accepted just to receive the reason and be
 * closed; at twice the cap, new ones are not accepted at all.
 */
export class ConnectionCaps {
  readonly #caps: Caps;
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(caps: Caps) {
    this.#caps = caps;
  }

  /** Checks that a new socket from this address is to be rejected without a reason. */
  shut(address: string): boolean {
    return this.#exceeds(address, 2, 1);
  }

  /** Counts an opened socket. @returns `over`: true where it must be closed; `closed`: to be called once it has closed. */
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

  /** Checks that the open sockets, plus `more`, exceed `times` a cap. */
  #exceeds(address: string, times: number, more: number): boolean {
    const { total, perAddress } = this.#caps;
    const here = (this.#open.get(addressKey(address)) ?? 0) + more;
    return (total > 0 && this.#total + more > times * total) || (perAddress > 0 && here > times * perAddress);
  }
}
