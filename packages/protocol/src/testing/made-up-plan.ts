import { aggregation } from '../plan/aggregation.ts';
import { PlanDescription } from '../plan/description.ts';
import { choice, real } from '../plan/field.ts';
import { limits } from '../plan/limits.ts';
import { localTraining } from '../plan/local-training.ts';
import { rounds } from '../plan/rounds.ts';
import { fedavg } from '../plan/strategies/fedavg.ts';
import type { PlanStrategy } from '../plan/strategies/strategy.ts';
import { wire } from '../plan/wire.ts';

const beta = (initial: number, order: string) =>
  real(0, 0.9999, {
    default: initial,
    label: { en: `Decay of the ${order} moment`, zh: '矩的衰减' },
    help: { en: 'The share of the moment that a round keeps.', zh: '每轮保留的矩的比例。' },
    consequence: { en: 'Larger values are smoother.', zh: '越大越平滑。' },
  });

/** A strategy's plan entry, like FedYogi's, for tests of everything derived from an entry. */
const fedyogi = {
  label: { en: 'FedYogi', zh: 'FedYogi' },
  help: {
    en: 'Yogi on the mean update (Reddi et al., 2021).',
    zh: '对平均更新使用 Yogi（Reddi 等，2021）。',
  },
  requires: ['strategy:fedyogi'],
  parameters: {
    serverLearningRate: { ...fedavg.parameters.serverLearningRate, default: 0.01 },
    serverBeta1: beta(0.9, 'first'),
    serverBeta2: beta(0.99, 'second'),
    serverEpsilon: real(0, 1, {
      default: 1e-3,
      label: { en: 'Adaptivity τ', zh: '自适应度 τ' },
      help: { en: 'The term that is added to the root.', zh: '加在根上的项。' },
      consequence: { en: 'Smaller values adapt more.', zh: '越小，自适应越强。' },
    }),
  },
} satisfies PlanStrategy;

/** A protection with its statements for the consent label. */
const noise = choice(
  { none: { en: 'no noise', zh: '无噪声' }, local: { en: 'on the device', zh: '在设备上' } },
  {
    default: 'none',
    label: { en: 'Noise', zh: '噪声' },
    help: { en: 'The place of the noise.', zh: '加噪声的位置。' },
    consequence: { en: 'Noise slows learning.', zh: '噪声会减慢学习。' },
    consent: {
      protection: (value) => (value === 'local' ? { en: 'noised on the device', zh: '在设备上加噪' } : null),
    },
    requires: (value) => (value === 'none' ? [] : ['step:noise']),
  },
);

/** The plan's fields, with one more strategy and one more protection. */
export function madeUpDescription(): PlanDescription {
  const section = (
    id: string,
    fields: ConstructorParameters<typeof PlanDescription>[0][number]['fields'],
  ) => ({
    id,
    title: { en: id, zh: id },
    fields,
  });
  const strategies = { fedavg, fedyogi };
  return new PlanDescription(
    [
      section('aggregation', aggregation(strategies, 'fedavg')),
      section('training', localTraining),
      section('rounds', rounds),
      section('limits', { ...limits, noise }),
      section('wire', wire),
    ],
    strategies,
  );
}
