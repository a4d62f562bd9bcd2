import type { Readings } from './readings.ts';

/** A condition on the device for training. */
export type Condition = keyof Readings;

const conditions = ['idle', 'charging', 'unmetered'] as const satisfies readonly Condition[];

/** The conditions that a page asks for: each that it does not switch off with false. */
export type Conditions = { readonly [C in Condition]?: boolean };

/**
 * The conditions that are not met. One that the browser does not tell of is not met.
 *
 * @returns `held`: all of them; `unknown`: those of them that the browser does not tell of.
 */
export function unmet(
  wanted: Conditions,
  readings: Readings,
): { readonly held: readonly Condition[]; readonly unknown: readonly Condition[] } {
  const held = conditions.filter((one) => wanted[one] !== false && readings[one] !== true);
  return { held, unknown: held.filter((one) => readings[one] === null) };
}
