import { type Case, isObject, type Json, numberOf, type Result, type Tolerance } from './case.ts';

/** The least tolerance for values computed or transmitted in float32. */
const FLOAT32: Tolerance = { atol: 1e-6, rtol: 1e-5 };

/** The result of a comparison. `difference` describes the first number beyond the tolerance; `null`: there is none. */
export interface Comparison {
  readonly difference: string | null;
  /** Names that the case expects and the product has no result for. */
  readonly without: readonly string[];
}

/** Compares a result with the one that a case expects. */
export function compare({ expected, tolerance }: Case, { main, named = {}, precision }: Result): Comparison {
  const allowed = precision === 'float64' ? tolerance : widened(tolerance);
  const wanted = isObject(expected) ? Object.keys(expected) : [];
  const known = wanted.filter((name) => Object.hasOwn(named, name));
  const bare = known.length === 0 || (isObject(main) && wanted.every((name) => Object.hasOwn(main, name)));
  if (bare) {
    if (main === undefined)
      return { difference: 'the product gives none of the expected results', without: [] };
    return { difference: differenceOf(main, expected, allowed, 'expected'), without: [] };
  }
  for (const name of known) {
    const difference = differenceOf(named[name], member(expected, name), allowed, name);
    if (difference !== null) return { difference, without: [] };
  }
  return { difference: null, without: wanted.filter((name) => !known.includes(name)) };
}

/** A tolerance, and those of single results, no narrower than float32's. */
function widened({ atol, rtol, perKey }: Tolerance): Tolerance {
  const wide = { atol: Math.max(atol, FLOAT32.atol), rtol: Math.max(rtol, FLOAT32.rtol) };
  if (perKey === undefined) return wide;
  const entries = Object.entries(perKey).map(([path, one]) => [path, widened(one)] as const);
  return { ...wide, perKey: Object.fromEntries(entries) };
}

/** The tolerance of the result at a path. Paths of results without a name begin with `expected`. */
function toleranceAt(tolerance: Tolerance, path: string): Tolerance {
  const { perKey = {} } = tolerance;
  const key = path.replace(/^expected\./, '');
  return Object.hasOwn(perKey, key) ? (perKey[key] as Tolerance) : tolerance;
}

function member(of: Json | undefined, name: string): Json | undefined {
  return isObject(of) ? of[name] : undefined;
}

function differenceOf(
  actual: Json | undefined,
  expected: Json | undefined,
  tolerance: Tolerance,
  path: string,
): string | null {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    if (actual.length !== expected.length)
      return `${path} has ${actual.length} elements, not ${expected.length}`;
    return first(actual.map((one, i) => () => differenceOf(one, expected[i], tolerance, `${path}[${i}]`)));
  }
  if (isObject(actual) && isObject(expected)) {
    const names = [...new Set([...Object.keys(actual), ...Object.keys(expected)])];
    return first(
      names.map(
        (name) => () =>
          differenceOf(member(actual, name), member(expected, name), tolerance, `${path}.${name}`),
      ),
    );
  }
  const [a, e] = [scalar(actual), scalar(expected)];
  if (typeof a === 'number' && typeof e === 'number' && isClose(a, e, toleranceAt(tolerance, path)))
    return null;
  return a === e ? null : `${path} is ${told(actual)}, not ${told(expected)}`;
}

/** Converts a truth value to a number, since files write both. */
function scalar(value: Json | undefined): Json | undefined {
  return typeof value === 'boolean' ? Number(value) : (numberOf(value) ?? value);
}

function isClose(actual: number, expected: number, { atol, rtol }: Tolerance): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  if (!Number.isFinite(expected)) return actual === expected;
  return Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
}

function first(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const difference = check();
    if (difference !== null) return difference;
  }
  return null;
}

function told(value: Json | undefined): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
