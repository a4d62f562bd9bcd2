import { MAX_EXAMPLES } from '../limits.ts';
import { figure } from './consent.ts';
import { int, optional, real } from './field.ts';
import { examples, norm } from './units.ts';

/** The section on limits to the influence of one update, and on its protection. */
export const limits = {
  maxExamples: int(1, MAX_EXAMPLES, {
    default: 100_000,
    label: { en: 'Most examples that count', zh: '样本数上限' },
    unit: examples,
    help: {
      en: 'The largest example count of an update.',
      zh: '一份更新的样本数上限。',
    },
    consequence: {
      en: "Updates that claim more are refused, so that no participant's weight in the mean grows without bound.",
      zh: '声称样本数超过此值的更新会被拒绝，以免任何参与者的权重无限增大。',
    },
  }),
  clipNorm: optional(real, 1e-6, 1e6, {
    default: null,
    label: { en: 'Clip the update to norm', zh: '更新裁剪范数' },
    unit: norm,
    help: {
      en: 'Longer updates are scaled down to this norm before they leave the device.',
      zh: '超过此长度的更新在离开设备之前缩短到此长度。',
    },
    consequence: {
      en: 'Limits the influence of each device; too small a norm slows learning. Empty: no clipping.',
      zh: '限制每台设备的影响；过小会减慢学习。留空则不裁剪。',
    },
    consent: { limit: (value) => (value === null ? null : figure(value)) },
    requires: (value) => (value === null ? [] : ['step:clip']),
  }),
  maxNorm: optional(real, 1e-6, 1e9, {
    default: 1000,
    unset: null,
    label: { en: 'Largest update that counts', zh: '更新范数上限' },
    unit: norm,
    help: {
      en: 'The largest norm of an update; longer ones are refused.',
      zh: '一份更新的最大范数，超过的会被拒绝。',
    },
    consequence: {
      en: 'Limits how far one participant can move the model in a round. Honest updates seldom exceed 100; unscaled inputs or targets may need more. Empty: no bound.',
      zh: '限制一位参与者在一轮中能让模型偏离多远。正常更新很少超过 100；未缩放的输入或目标可能需要更大。留空则不设上限。',
    },
  }),
} as const;
