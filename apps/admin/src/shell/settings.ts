import { effect, type Signal, signal } from '@preact/signals';

/** A setting of the reader that survives a reload. Where storage is forbidden, it lasts as long as the page. */
export function setting<T>(name: string, initial: T, valid: (value: unknown) => value is T): Signal<T> {
  const key = `coppice.admin.${name}`;
  let stored: unknown;
  try {
    stored = JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    stored = null;
  }
  const choice = signal(valid(stored) ? stored : initial);
  effect(() => {
    const text = JSON.stringify(choice.value);
    try {
      localStorage.setItem(key, text);
    } catch {
      // As above.
    }
  });
  return choice;
}

export const isShare = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1;
export function oneOf<const T extends string>(...options: readonly T[]) {
  return (value: unknown): value is T => options.some((option) => option === value);
}

/** Strength of smoothing for all line charts. */
export const smoothing = setting('smoothing', 0, isShare);
/** Scale of the loss charts. */
export const lossScale = setting('loss-scale', 'linear', oneOf('linear', 'log'));
