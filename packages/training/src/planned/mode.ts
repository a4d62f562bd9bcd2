/**
 * Purpose of a plan.
 * - `ask`: outputs alone.
 * - `gradient`: gradients at fixed weights. Layers draw nothing, and no moving statistic changes.
 * - `train`: steps of an optimizer.
 */
export type Mode = 'ask' | 'gradient' | 'train';
