import type { ChainLayer } from './chain.ts';
import type { Mode } from './mode.ts';
import type { PlanBuilder, Slot, Weight } from './plan.ts';

/** A layer's part of a plan under construction. */
export interface LayerPart {
  /** Slot of the layer's output, live until the layer's backward steps are over. */
  readonly output: Slot;
  /**
   * Adds the steps that update the layer's weights and, if `wanted`, pass the gradient on.
   *
   * @param gradient of the output; the layer may overwrite it.
   * @returns Slot of the input's gradient; null if it is not wanted.
   */
  backward(gradient: Slot, wanted: boolean): Slot | null;
}

/** Adds the forward steps of one layer to a plan. */
export type PlanLayer = (plan: PlanBuilder, input: Slot, mode: Mode) => LayerPart;

/** A layer's properties for planning. */
export interface LayerInfo extends Omit<ChainLayer, 'weights'> {
  /** By name: `kernel`, `bias`, `gamma`, …. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** Draws a seed for this layer's random numbers in this step; null for layers that are not random. */
  readonly nextSeed: (() => number) | null;
  /** True for the output layer whose softmax or sigmoid is left to the loss. */
  readonly isHead: boolean;
}

/** Thrown for a model, or a part of it, that is left to tfjs. */
export class NotPlanned extends Error {}

/** @throws NotPlanned */
export function notPlanned(layer: Pick<LayerInfo, 'name' | 'className'>, why: string): never {
  throw new NotPlanned(`layer "${layer.name}" (${layer.className}): ${why}`);
}

export function weightOf(layer: LayerInfo, name: string): Weight {
  const weight = layer.weights.get(name);
  if (weight === undefined) throw new Error(`${layer.name} has no weight called ${name}`);
  return weight;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}
