/** Numbers, names and tensors as JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Allowed deviation of a number: |actual − expected| ≤ atol + rtol · |expected|. */
export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
  /** Tolerances of single results by their path, such as `final.width`, in place of this one. */
  readonly perKey?: { readonly [path: string]: Tolerance };
}

/** One vector: the inputs of an operation, and its required result. */
export interface Case {
  readonly id: string;
  /** The function under test; '' where the file names none. */
  readonly operation: string;
  readonly inputs: Json;
  readonly params: { readonly [key: string]: Json };
  /** `undefined`: the case states no result. */
  readonly expected: Json | undefined;
  /** `{ atol: 0, rtol: 0 }` is exact. */
  readonly tolerance: Tolerance;
  readonly notes: string;
}

/** Results of an operation, to compare with those that a case expects. */
export interface Result {
  /** The result where the case expects one without a name. */
  readonly main?: Json;
  /** Results by the cases' names for them. */
  readonly named?: { readonly [name: string]: Json };
  /** `float64`: the case's tolerance applies unchanged. `float32`, the default: it is widened to float32's. */
  readonly precision?: 'float32' | 'float64';
}

/** Computes a case by the production functions. It throws `Unsupported`, or the product's error. */
export type Operation = (one: Case) => Result | Promise<Result>;

/** Thrown where the product has no function for a case. The message gives the reason. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

export function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of an object, by the first of its names that exists; `undefined` where none does. */
export function member(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  if (!isObject(value)) return undefined;
  const name = names.find((one) => Object.hasOwn(value, one) && value[one] !== null);
  return name === undefined ? undefined : value[name];
}

const WORDS: { readonly [word: string]: number } = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

/** A number in the files' notation; `undefined` where the value is none. */
export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && Object.hasOwn(WORDS, value) ? WORDS[value] : undefined;
}

/** @throws Error where the value is no number. */
export function requireNumber(value: Json | undefined, name: string): number {
  const number = numberOf(value);
  if (number === undefined) throw new Error(`${name} is ${JSON.stringify(value)}, not a number`);
  return number;
}

/** A number among the parameters or the inputs, by the first of its names that exists. @throws Unsupported where none does. */
export function parameter({ params, inputs }: Case, ...names: readonly [string, ...string[]]): number {
  const value = member(params, ...names) ?? member(inputs, ...names);
  if (value === undefined) throw new Unsupported(`the case does not give ${names[0]}`);
  return requireNumber(value, names[0]);
}

/** As `parameter`, with a value for cases without one. */
export function parameterOr(one: Case, otherwise: number, ...names: readonly [string, ...string[]]): number {
  const value = member(one.params, ...names) ?? member(one.inputs, ...names);
  return value === undefined ? otherwise : requireNumber(value, names[0]);
}
