import { serverLearningRate } from './server-learning-rate.ts';
import type { PlanStrategy } from './strategy.ts';

export const fedavg = {
  label: { en: 'FedAvg', zh: 'FedAvg（联邦平均）' },
  help: {
    en: 'The mean of the updates, weighted by example count (McMahan et al., 2017).',
    zh: '按样本数加权平均（McMahan 等，2017）。',
  },
  requires: [],
  parameters: {
    serverLearningRate: serverLearningRate(1, {
      en: '1 is plain FedAvg; less moves the model more carefully.',
      zh: '1 即普通 FedAvg；更小则更谨慎。',
    }),
  },
} as const satisfies PlanStrategy;
