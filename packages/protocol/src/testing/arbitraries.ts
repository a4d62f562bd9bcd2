import fc from 'fast-check';
import { CoppiceError, isErrorCode } from '../errors.ts';
import { drawsOf, mutateBytes, mutateValue } from './mutate.ts';

/** Values of every kind that JavaScript has, and keys that mean something to it. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString', 'constructor')),
  }),
  fc.jsonValue({ stringUnit: 'binary' }),
);

export const anyBytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 300, size: 'max' });

/** Text of any UTF-16 code units, lone surrogates and NUL among them. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0x7f })), { maxLength: 200 })
  .map((units) => String.fromCharCode(...units));

/** A seed of one change after the other, from one to eight of them; what fails shrinks to few. */
const changes = fc.array(fc.nat(0xffff_fffe), { minLength: 1, maxLength: 8 });

/** What valid values become after a few changes. */
export function mutated(...valid: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...valid), changes)
    .map(([value, seeds]) => seeds.reduce<unknown>((now, seed) => mutateValue(now, drawsOf(seed)), value));
}

/** What valid bytes become after a few changes. */
export function damaged(...valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...valid), changes)
    .map(([bytes, seeds]) => seeds.reduce((now, seed) => mutateBytes(now, drawsOf(seed)), bytes));
}

/** What came of it: a value, or the refusal. */
export type Attempt<T> = { readonly value: T } | { readonly refused: CoppiceError };

/** Whatever is thrown must have a name that somebody can look up, `internal` is none; the rest is a bug and thrown on. */
export function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { value: work() };
  } catch (thrown) {
    return { refused: named(thrown) };
  }
}

/** The same of what is done later. */
export async function survives<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (thrown) {
    return { refused: named(thrown) };
  }
}

function named(thrown: unknown): CoppiceError {
  if (thrown instanceof CoppiceError && isErrorCode(thrown.code) && thrown.code !== 'internal') return thrown;
  throw thrown;
}
