import fc from 'fast-check';
import { CoppiceError, isErrorCode } from '../errors.ts';
import { drawsOf, mutateBytes, mutateValue } from './mutate.ts';

/** Values of every JavaScript type, and keys with a special meaning. */
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

/** Seeds of one to eight consecutive changes; failures shrink to few. */
const changes = fc.array(fc.nat(0xffff_fffe), { minLength: 1, maxLength: 8 });

/** Valid values after a few mutations. */
export function mutated(...valid: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...valid), changes)
    .map(([value, seeds]) => seeds.reduce<unknown>((now, seed) => mutateValue(now, drawsOf(seed)), value));
}

/** Valid bytes after a few mutations. */
export function damaged(...valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...valid), changes)
    .map(([bytes, seeds]) => seeds.reduce((now, seed) => mutateBytes(now, drawsOf(seed)), bytes));
}

/** The result of an attempt: a value, or the refusal. */
export type Attempt<T> = { readonly value: T } | { readonly refused: CoppiceError };

/**
 * Runs work that may refuse its input with a `CoppiceError` other than `internal`. Anything else thrown is a bug and is
 * thrown on.
 */
export function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { value: work() };
  } catch (thrown) {
    return { refused: named(thrown) };
  }
}

/** As `attempt`, for asynchronous work. */
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
