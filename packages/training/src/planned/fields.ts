/** A value in an unexpected form, to be interpreted by tfjs. */
export class Unfamiliar extends Error {}

/** @throws Unfamiliar where `holds` is false. */
export function ensure(holds: boolean): void {
  if (!holds) throw new Unfamiliar('another case');
}

/** Parses a value as a `T`; returns undefined where it is none. */
export type Kind<T> = (value: unknown) => T | undefined;

/** The fields of a layer's config, each taken once. None may be left over: an unread field could change the meaning. */
export class Fields {
  readonly #left: Map<string, unknown>;

  /** @throws Unfamiliar */
  constructor(config: unknown) {
    if (!isObject(config)) throw new Unfamiliar('no object');
    this.#left = new Map(Object.entries(config));
  }

  /**
   * @param otherwise the value of a missing field; left out, the field is required.
   * @throws Unfamiliar
   */
  take<T>(key: string, kind: Kind<T>, otherwise?: T): T {
    const value = this.#left.get(key);
    this.#left.delete(key);
    const taken = value === undefined ? otherwise : kind(value);
    if (taken === undefined) throw new Unfamiliar(key);
    return taken;
  }

  /** @throws Unfamiliar */
  end(): void {
    for (const key of this.#left.keys()) throw new Unfamiliar(key);
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const text: Kind<string> = (value) => (typeof value === 'string' && value !== '' ? value : undefined);

export const flag: Kind<boolean> = (value) => (typeof value === 'boolean' ? value : undefined);

export const number: Kind<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

export const positive: Kind<number> = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;

/** A list of positive whole numbers. */
export const sizes: Kind<readonly number[]> = (value) =>
  Array.isArray(value) && value.every((size) => positive(size) !== undefined) ? value : undefined;

/** One number for height and width, or both. */
export const pair: Kind<readonly number[]> = (value) => {
  const both = positive(value) === undefined ? sizes(value) : [value as number, value as number];
  return both?.length === 2 ? both : undefined;
};

/** One of these values. */
export const among =
  <T>(...values: readonly T[]): Kind<T> =>
  (value) =>
    values.find((one) => one === value);
