import { type Plan, parametersOf, type StrategyName, type StrategyParameters } from '@coppice/protocol';
import type { Strategy } from '../strategy.ts';
import { fedavg } from './fedavg.ts';
import * as fedopt from './fedopt.ts';
import { median } from './median.ts';
import { scaffold } from './scaffold.ts';

/** The algorithm of every strategy that a plan can choose, made from the strategy's parameters in the plan, and the plan. */
const strategies: {
  readonly [N in StrategyName]: (parameters: StrategyParameters<N>, plan: Plan) => Strategy;
} = {
  fedavg,
  ...fedopt,
  scaffold: (parameters, plan) => scaffold({ ...parameters, plan }),
  median,
};

export function strategyOf(plan: Plan): Strategy {
  return make(plan.strategy, plan);
}

function make<N extends StrategyName>(name: N, plan: Plan): Strategy {
  return strategies[name](parametersOf(name, plan), plan);
}
