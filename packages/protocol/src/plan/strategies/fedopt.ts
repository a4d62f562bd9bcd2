import { real } from '../field.ts';
import { serverLearningRate } from './server-learning-rate.ts';
import type { PlanStrategy } from './strategy.ts';

/** The parameters of the family of adaptive server optimizers, in the paper's names. */
const parameters = {
  serverLearningRate: serverLearningRate(0.01, {
    en: 'Steps of about this size in every weight; a tenth or a hundredth of what FedAvg would take.',
    zh: '每个权重每轮大约移动这么多；通常为 FedAvg 的十分之一到百分之一。',
  }),
  serverBeta1: real(0, 0.999, {
    default: 0.9,
    label: { en: 'Server β₁', zh: '服务器 β₁' },
    help: {
      en: 'The share of the first moment (the running mean of the updates) that stays each round.',
      zh: '一阶矩（更新的滑动平均）每轮保留的比例。',
    },
    consequence: {
      en: 'More smooths over more rounds; 0 looks at this round alone.',
      zh: '越大则平滑的轮数越多；0 即只看本轮。',
    },
  }),
  serverBeta2: real(0, 0.9999, {
    default: 0.99,
    label: { en: 'Server β₂', zh: '服务器 β₂' },
    help: {
      en: 'The share of the second moment (the running mean of their squares) that stays each round.',
      zh: '二阶矩（更新平方的滑动平均）每轮保留的比例。',
    },
    consequence: {
      en: 'More makes the step sizes of the weights change more slowly.',
      zh: '越大则各权重的步长变化越慢。',
    },
  }),
  serverTau: real(1e-9, 1, {
    default: 0.001,
    label: { en: 'Server adaptivity τ', zh: '服务器自适应度 τ' },
    help: {
      en: 'Added to the root of the second moment before the step is divided by it.',
      zh: '步长所除的二阶矩平方根上所加的常数。',
    },
    consequence: {
      en: 'Smaller adapts more to each weight; larger comes closer to plain averaging.',
      zh: '越小则越随各权重调整；越大则越接近普通平均。',
    },
  }),
};

/** The strategies of adaptive federated optimization. */
export const fedopt = {
  fedadam: {
    label: { en: 'FedAdam', zh: 'FedAdam（自适应）' },
    help: {
      en: 'Adam on the server, on the mean update (Reddi et al., 2021, without bias correction).',
      zh: '在服务器上对平均更新使用 Adam（Reddi 等，2021，不作偏差修正）。',
    },
    requires: [],
    parameters,
  },

  fedyogi: {
    label: { en: 'FedYogi', zh: 'FedYogi（自适应）' },
    help: {
      en: 'Yogi on the server: as FedAdam, with a second moment that changes more slowly (Reddi et al., 2021).',
      zh: '在服务器上使用 Yogi：同 FedAdam，但二阶矩变化更慢（Reddi 等，2021）。',
    },
    requires: [],
    parameters,
  },
} as const satisfies Record<string, PlanStrategy>;
