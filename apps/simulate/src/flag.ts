/** An invalid command line: the flag, and its valid values. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads the text of a flag. @throws UsageError with the end of a sentence that begins with the flag: "takes …". */
export type FlagReader<T> = (text: string) => T;

export interface Flag {
  /** The placeholder for the value; `null` for a flag without one. */
  readonly takes: string | null;
  readonly help: string;
  readonly read?: FlagReader<unknown>;
}

/** Flags under one title of `--help`. */
export interface FlagGroup {
  readonly title: string;
  readonly flags: Readonly<Record<string, Flag>>;
}

/** A whole number from `min` to `max`. */
export const whole =
  (min: number, max: number): FlagReader<number> =>
  (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new UsageError(`takes a whole number from ${min} to ${max}`);
    return value;
  };

/** A number from `min`, or above it with `open`, to `max`, or below it with `below`. */
export const real =
  (min: number, max: number, { open = false, below = false } = {}): FlagReader<number> =>
  (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(open ? value > min : value >= min) || !(below ? value < max : value <= max))
      throw new UsageError(
        `takes a number ${open ? `above ${min} and up` : `from ${min}`} to ${below ? 'below ' : ''}${max}`,
      );
    return value;
  };

/** One of the names. */
export const oneOf =
  <T extends string>(...names: readonly T[]): FlagReader<T> =>
  (text) => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new UsageError(`takes one of ${names.join(', ')}`);
    return found;
  };
