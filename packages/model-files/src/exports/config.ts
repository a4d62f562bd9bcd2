import type { GraphLayer } from './graph.ts';
import { unsupported } from './unsupported.ts';

/* Readers of a layer's configuration, which is JSON of somebody's file. */

/** A list of `count` whole numbers; one number stands for all. */
export function numbersOf(layer: GraphLayer, key: string, count: number, missing = 1): number[] {
  const value = layer.config[key] ?? missing;
  const list = Array.isArray(value) ? value : Array.from({ length: count }, () => value);
  if (list.length === 1 && count > 1) return Array.from({ length: count }, () => list[0] as number);
  if (list.length === count && list.every(Number.isInteger)) return list as number[];
  throw unsupported(layer.name, `has ${JSON.stringify(value)} for ${key}`);
}

export function numberOf(layer: GraphLayer, key: string, missing: number): number {
  const value = layer.config[key];
  return typeof value === 'number' ? value : missing;
}

export function textOf(layer: GraphLayer, key: string, missing: string): string {
  const value = layer.config[key];
  return typeof value === 'string' ? value : missing;
}

/** Refuses tensors with their channels first, which no layer of tfjs computes on every backend. */
export function channelsLast(layer: GraphLayer): void {
  if (textOf(layer, 'dataFormat', 'channelsLast') !== 'channelsLast')
    throw unsupported(layer.name, 'takes its channels first');
}

/** The index of a dimension, counted from the front; negative ones count from the end. */
export function axisOf(layer: GraphLayer, key: string, rank: number, missing = -1): number {
  const value = layer.config[key] ?? missing;
  const axis = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
  if (typeof axis !== 'number' || !Number.isInteger(axis))
    throw unsupported(layer.name, `has ${JSON.stringify(value)} for its axis`);
  return axis < 0 ? axis + rank : axis;
}
