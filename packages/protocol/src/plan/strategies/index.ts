import { fedavg } from './fedavg.ts';

/** Every strategy that a plan can choose, in the form's order. */
export const strategies = { fedavg } as const;

export type StrategyName = keyof typeof strategies;
