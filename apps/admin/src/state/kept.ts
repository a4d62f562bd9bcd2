import { type Signal, signal } from '@preact/signals';

/** A choice that survives a reload of the page, in this browser. */
export interface Kept<T> {
  readonly value: Signal<T>;
  set(next: T): void;
}

/** @param read turns what was stored into a value; null for what is not one. */
export function kept<T>(name: string, initial: T, read: (stored: unknown) => T | null): Kept<T> {
  const key = `coppice.admin.${name}`;
  const value = signal<T>(initial);
  try {
    const stored = localStorage.getItem(key);
    if (stored !== null) value.value = read(JSON.parse(stored)) ?? initial;
  } catch {
    // Storage may be forbidden or spoilt; the choice then starts anew.
  }
  return {
    value,
    set(next) {
      value.value = next;
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // As above: the choice lasts as long as the page.
      }
    },
  };
}
