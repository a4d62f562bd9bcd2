import { signal } from '@preact/signals';

/*
 * The page's storage in this browser, beside the examples and the participant's key, which the worker stores:
 * consent, the joined run, and settings.
 */
const PREFIX = 'coppice.';

/** A value stored in this browser where it allows that, otherwise in the page. */
export function remembered<T>(name: string, initial: T, valid: (value: unknown) => value is T) {
  const value = signal<T>(read(name, initial, valid));
  return {
    value,
    set(next: T) {
      value.value = next;
      try {
        localStorage.setItem(PREFIX + name, JSON.stringify(next));
      } catch {
        // Storage may be forbidden or full; the value then lasts as long as the page.
      }
    },
  };
}

function read<T>(name: string, initial: T, valid: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    const value: unknown = text === null ? initial : JSON.parse(text);
    return valid(value) ? value : initial;
  } catch {
    return initial;
  }
}

export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
