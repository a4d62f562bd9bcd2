import type { Plan } from '@coppice/protocol';
import type { Strategy } from '../strategy.ts';
import { fedavg } from './fedavg.ts';

/** Every strategy a plan can name. To add one: a file beside fedavg.ts, an option in the plan, a line here. */
const strategies: Record<Plan['strategy'], (plan: Plan) => Strategy> = {
  fedavg: (plan) => fedavg({ serverLearningRate: plan.serverLearningRate }),
};

export function strategyOf(plan: Plan): Strategy {
  return strategies[plan.strategy](plan);
}
