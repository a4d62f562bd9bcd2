import { above, choice, optional } from '../field.ts';
import { serverLearningRate } from './server-learning-rate.ts';
import type { PlanStrategy } from './strategy.ts';

export const scaffold = {
  label: { en: 'SCAFFOLD', zh: 'SCAFFOLD（控制变量）' },
  help: {
    en: 'Control variates on server and devices correct each local step for how the device differs from the rest (Karimireddy et al., 2020). Twice the bytes, both ways; a vector as long as the model stays on each device.',
    zh: '服务器与设备上的控制变量修正每一步本地训练，抵消设备间的差异（Karimireddy 等，2020）。上下行字节加倍；每台设备上保留一个与模型等长的向量。',
  },
  requires: ['strategy:scaffold'],
  vectors: 1,
  refuses: ({ controlVariate, optimizer }) =>
    controlVariate === 'steps' && optimizer !== 'sgd'
      ? {
          field: 'optimizer',
          message: `is ${optimizer}, and control variates from steps need sgd; choose sgd, or controlVariate gradient`,
        }
      : null,
  parameters: {
    serverLearningRate: serverLearningRate(1, {
      en: '1 moves the model by the whole mean update; less moves it more carefully.',
      zh: '1 即按平均更新整步移动；更小则更谨慎。',
    }),
    controlVariate: choice(
      {
        steps: {
          label: { en: 'from the steps taken (option II)', zh: '取自所走的步（选项 II）' },
        },
        gradient: {
          label: { en: 'the gradient at the received model (option I)', zh: '取所收模型处的梯度（选项 I）' },
        },
      },
      {
        default: 'steps',
        label: { en: 'Control variate', zh: '控制变量' },
        help: {
          en: 'The way in which a device renews its control variate after a round.',
          zh: '一轮之后设备更新其控制变量的方式。',
        },
        consequence: {
          en: 'The gradient costs one more pass over the examples and works with every optimizer; steps cost nothing and need plain SGD.',
          zh: '取梯度需要多遍历一次样本，适用于任何优化器；由所走的步推得不增加计算，但需要普通 SGD。',
        },
      },
    ),
    controlNorm: optional(above, 0, 1e9, {
      default: 1000,
      label: { en: 'Largest change of a control variate', zh: '控制变量变化上限' },
      unit: { en: 'L2 norm', zh: 'L2 范数' },
      help: {
        en: "An update whose control variate's change is longer than this is refused.",
        zh: '控制变量的变化超过此长度的更新会被拒绝。',
      },
      consequence: {
        en: 'Less keeps one device from throwing the correction off; honest changes are about as long as gradients. Empty: no bound.',
        zh: '越小则单台设备越难带偏修正；正常的变化约与梯度等长。留空则不设上限。',
      },
    }),
  },
} as const satisfies PlanStrategy;
