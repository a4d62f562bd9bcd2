import { choice } from './field.ts';
import type { PlanStrategy } from './strategies/strategy.ts';

/** The section on aggregation: the choice of a strategy. Each strategy's parameters are in `strategies/<name>.ts`. */
export function aggregation<T extends string>(
  strategies: Readonly<Record<T, PlanStrategy>>,
  initial: NoInfer<T>,
) {
  return {
    strategy: choice(strategies as Readonly<Record<T, Pick<PlanStrategy, 'label' | 'help'>>>, {
      default: initial,
      simulation: { value: initial },
      label: { en: 'Strategy', zh: '聚合策略' },
      help: {
        en: "The rule that turns a round's updates into the next model.",
        zh: '把一轮的更新合成下一个模型的规则。',
      },
      consequence: {
        en: 'Each strategy has parameters of its own.',
        zh: '每种策略有自己的参数。',
      },
    }),
  } as const;
}
