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
      en: 'The largest number of examples that a device trains on in a round.',
      zh: '一台设备在一轮中用于训练的样本数上限。',
    },
    consequence: {
      en: "A device that has more trains on that many of them, drawn anew in each round. Updates that claim more are refused, so that no participant's weight in the mean grows without bound.",
      zh: '样本更多的设备每轮随机抽取这么多来训练。声称样本数超过此值的更新会被拒绝，以免任何参与者的权重无限增大。',
    },
  }),
  weightFactor: optional(real, 1, 1e6, {
    default: 3,
    unset: null,
    label: { en: 'Largest weight, in medians', zh: '权重上限（中位数倍数）' },
    unit: { en: 'times the median', zh: '倍中位数' },
    help: {
      en: 'An update counts at most as this many times the median of the example counts that participants announced.',
      zh: '一份更新的权重最多为各参与者所报样本数中位数的这么多倍。',
    },
    consequence: {
      en: 'Less keeps a participant that announces far too many examples from outweighing the rest. Devices that really have more examples then count for less than their share. Empty: an update counts with all examples announced.',
      zh: '越小，虚报样本数的参与者越难压过其他人；但样本确实更多的设备，其权重会低于应占的份额。留空则按所报样本数计权。',
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
  normFactor: optional(real, 1, 1e6, {
    default: 1.5,
    unset: null,
    label: { en: 'Norm bound, in medians', zh: '范数界（中位数倍数）' },
    unit: { en: 'times the median', zh: '倍中位数' },
    help: {
      en: 'Updates longer than this many times the median norm of recent rounds are scaled down to it.',
      zh: '更新的范数超过近几轮中位数的这么多倍时，会缩短到该长度再计入。',
    },
    consequence: {
      en: 'Less limits the influence of one participant more. Devices with many more examples than most send longer updates and may be scaled down, too. Empty: no update is scaled down.',
      zh: '越小，单个参与者的影响越有限；但样本远多于他人的设备更新更长，也可能被缩短。留空则不缩短。',
    },
  }),
  firstNorm: optional(real, 1e-6, 1e9, {
    default: 20,
    unset: null,
    label: { en: 'Norm bound of the first round', zh: '首轮范数界' },
    unit: norm,
    help: {
      en: 'In the first round, while no norms are known yet, longer updates are scaled down to this norm.',
      zh: '首轮尚无范数可参考，更新超过此长度会缩短到此长度。',
    },
    consequence: {
      en: 'From the second round on the bound follows the norms of accepted updates, and at most doubles from one round to the next. Unscaled inputs or targets may need more. Empty: no bound in the first round.',
      zh: '从第二轮起，范数界随已接受的更新变化，每轮最多翻倍。未缩放的输入或目标可能需要更大。留空则首轮不设界。',
    },
  }),
} as const;
