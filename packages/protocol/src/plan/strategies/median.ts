import { serverLearningRate } from './server-learning-rate.ts';
import type { PlanStrategy } from './strategy.ts';

export const median = {
  label: { en: 'Coordinate-wise median', zh: '逐坐标中位数' },
  help: {
    en: 'Every weight moves by the median of the updates, whatever their example counts (Yin et al., 2018): a minority that lies cannot move it far.',
    zh: '每个权重按各更新的中位数移动，不看样本数（Yin 等，2018）：少数说谎者无法把它带偏太远。',
  },
  requires: [],
  refuses: ({ uploadCodec }) =>
    uploadCodec === 'top1' || uploadCodec === 'top10'
      ? {
          field: 'uploadCodec',
          message: `is ${uploadCodec}, which leaves most numbers out, so that their median would be 0; choose float32, float16, int8 or int4`,
        }
      : null,
  parameters: {
    serverLearningRate: serverLearningRate(1, {
      en: '1 moves the model by the whole median; less moves it more carefully.',
      zh: '1 即按中位数整步移动；更小则更谨慎。',
    }),
  },
} as const satisfies PlanStrategy;
