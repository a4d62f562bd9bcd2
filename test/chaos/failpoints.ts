/** A point at which a process dies: before or after the nth call of a method that writes. */
export interface Failpoint {
  /** `spool.append:before`, `storage.commit:after`, … */
  readonly at: string;
  /** From 1. */
  readonly nth: number;
  /** Milliseconds from there to its death; left out: at once. */
  readonly delay?: number;
}

/** Calls `passed` before and after every call of every method; `after` means that its promise has fulfilled. */
export function withFailpoints<T extends object>(
  target: T,
  name: string,
  passed: (point: string) => void,
): T {
  return new Proxy(target, {
    get(object, property, receiver) {
      const method: unknown = Reflect.get(object, property, receiver);
      if (typeof method !== 'function' || typeof property !== 'string') return method;
      return (...args: unknown[]) => {
        passed(`${name}.${property}:before`);
        const result: unknown = Reflect.apply(method, object, args);
        if (!(result instanceof Promise)) {
          passed(`${name}.${property}:after`);
          return result;
        }
        return result.then((value: unknown) => {
          passed(`${name}.${property}:after`);
          return value;
        });
      };
    },
  });
}
