import { invalid } from './invalid.ts';

export type Json = { [key: string]: unknown };

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Class names of models, which may stand inside of models as layers do. */
export const modelClasses: ReadonlySet<string> = new Set(['Model', 'Functional', 'Sequential']);

/** The name of a layer as it is described, "" where it has none. */
export function named(layer: Json): string {
  const config = isObject(layer['config']) ? layer['config'] : {};
  const name = layer['name'] ?? config['name'];
  return typeof name === 'string' ? name : '';
}

/** Refuses a layer; `why` goes on from its name and kind. */
export function fail(layer: Json, why: string): never {
  const name = named(layer);
  const kind = String(layer['class_name'] ?? layer['className']).slice(0, 100);
  throw invalid(`its layer ${name === '' ? kind : `"${name}" (${kind})`} ${why}`);
}
