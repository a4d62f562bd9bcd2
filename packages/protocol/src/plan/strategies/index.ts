import { fedavg } from './fedavg.ts';
import { fedopt } from './fedopt.ts';
import { median } from './median.ts';
import { scaffold } from './scaffold.ts';

/** Every strategy that a plan can choose, in the form's order. */
export const strategies = { fedavg, ...fedopt, scaffold, median } as const;

export type StrategyName = keyof typeof strategies;
