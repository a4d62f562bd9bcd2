import { real } from '../field.ts';
import type { PlanStrategy } from './strategy.ts';

export const fedavg = {
  label: { en: 'FedAvg', zh: 'FedAvg（联邦平均）' },
  help: {
    en: 'The mean of the updates, weighted by example count (McMahan et al., 2017).',
    zh: '按样本数加权平均（McMahan 等，2017）。',
  },
  requires: [],
  parameters: {
    serverLearningRate: real(0.001, 10, {
      default: 1,
      flag: { takes: 'ETA' },
      label: { en: 'Server learning rate', zh: '服务器学习率' },
      help: { en: 'The factor on the mean update.', zh: '平均更新所乘的系数。' },
      consequence: {
        en: '1 is plain FedAvg; less moves the model more carefully.',
        zh: '1 即普通 FedAvg；更小则更谨慎。',
      },
    }),
  },
} as const satisfies PlanStrategy;
