import type { ChainLayer } from './chain.ts';
import type { Mode } from './mode.ts';
import type { PlanBuilder, Slot, Weight } from './plan.ts';

/** A layer's part of a plan that is being made. */
export interface LayerPart {
  /** Where the layer's output is; it stays there until its backward steps are over. */
  readonly output: Slot;
  /**
   * Adds the steps that change the layer's weights, and, if it is wanted, hand the gradient on.
   *
   * @param gradient of the output; the layer may overwrite it.
   * @returns Where the gradient of the input is; null if it is not wanted.
   */
  backward(gradient: Slot, wanted: boolean): Slot | null;
}

/** Adds the forward steps of one layer to a plan. */
export type PlanLayer = (plan: PlanBuilder, input: Slot, mode: Mode) => LayerPart;

/** What there is to know of a layer, to plan it. */
export interface LayerInfo extends Omit<ChainLayer, 'weights'> {
  /** By name: `kernel`, `bias`, `gamma`, …. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** Draws a seed for what the layer draws in this step; null for layers that do not draw. */
  readonly nextSeed: (() => number) | null;
  /** Whether the layer's softmax makes the model's output, and is left to the loss. */
  readonly isHead: boolean;
}

/** A model, or a part of it, that no plan is made for: tfjs takes it. */
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
