import { above, choice, int, optional, real } from './field.ts';
import { days, examples, share } from './units.ts';

/** The section on training on each device. */
export const localTraining = {
  epochs: int(1, 1000, {
    default: 1,
    flag: { takes: 'E' },
    label: { en: 'Local epochs', zh: '本地训练遍数' },
    unit: { en: 'passes', zh: '遍' },
    help: {
      en: 'Passes over the local data in each round.',
      zh: '每一轮中，本地数据训练的遍数。',
    },
    consequence: {
      en: 'More passes need fewer rounds, but each round takes longer.',
      zh: '遍数越多，所需轮数越少，但每轮越久。',
    },
  }),
  batchSize: int(1, 65_536, {
    default: 10,
    flag: { takes: 'B' },
    label: { en: 'Batch size', zh: '批大小' },
    unit: examples,
    help: { en: 'Examples per optimizer step.', zh: '优化器每一步使用的样本数。' },
    consequence: {
      en: 'Small batches learn more from each pass; large batches are faster on a GPU.',
      zh: '小批每遍学得更多，大批在 GPU 上更快。',
    },
  }),
  optimizer: choice(
    {
      sgd: { en: 'SGD', zh: 'SGD' },
      momentum: { en: 'SGD with momentum 0.9', zh: '带动量 0.9 的 SGD' },
      adam: { en: 'Adam', zh: 'Adam' },
    },
    {
      default: 'sgd',
      label: { en: 'Local optimizer', zh: '本地优化器' },
      help: { en: 'The optimizer on each device.', zh: '每台设备上的优化器。' },
      consequence: {
        en: 'The optimizer state starts anew in every round.',
        zh: '优化器的状态每轮从零开始。',
      },
      requires: (value) => (value === 'sgd' ? [] : [`optimizer:${value}`]),
    },
  ),
  learningRate: above(0, 100, {
    default: 0.1,
    flag: { takes: 'ETA' },
    label: { en: 'Local learning rate', zh: '本地学习率' },
    help: { en: 'The step size of the local optimizer.', zh: '本地优化器的步长。' },
    consequence: {
      en: 'If it is too large, the loss becomes NaN and the updates are refused.',
      zh: '过大会让损失变成 NaN，这样的更新会被拒绝。',
    },
  }),
  proximal: real(0, 100, {
    default: 0,
    flag: { takes: 'MU' },
    label: { en: 'Proximal term μ (FedProx)', zh: '近端项 μ（FedProx）' },
    help: {
      en: 'Adds μ/2 times the squared distance to the global model to the local loss (Li et al., 2020).',
      zh: '在本地损失上加 μ/2 乘以与全局模型距离的平方（Li 等，2020）。',
    },
    consequence: {
      en: 'Helps where data differ much between devices; 0 turns it off.',
      zh: '各设备数据差异很大时有帮助；0 表示关闭。',
    },
    requires: (value) => (value > 0 ? ['objective:proximal'] : []),
  }),
  evaluationShare: real(0, 0.9, {
    default: 0.1,
    label: { en: 'Local evaluation share', zh: '本地评估比例' },
    unit: share,
    simulation: { value: 0, repeats: true },
    help: {
      en: 'Whether devices evaluate the global model: above 0, on the examples that the task holds out from every training (heldOut). A share larger than that of the task holds that many out from the training of this run too.',
      zh: '是否在设备上评估全局模型：大于 0 时，用任务规定始终不参与训练的样本（heldOut）评估。若大于任务的比例，本次训练也留出相应更多的样本。',
    },
    consequence: {
      en: 'A larger share measures more precisely, and leaves less to train on. With 0, nothing is evaluated on the devices; what the task holds out is not trained on all the same.',
      zh: '比例越大，评估越准，可训练的样本越少。0 表示不在设备上评估；任务留出的样本仍不参与训练。',
    },
  }),
  window: optional(real, 0.0001, 3650, {
    default: null,
    flag: { takes: 'DAYS' },
    label: { en: 'Training window', zh: '训练时间窗口' },
    unit: days,
    help: {
      en: 'Devices train on the examples that were added in this many days, or parts of a day, before the round, by the time of the coordinator.',
      zh: '设备只用本轮之前这些天内添加的样本训练，可填小数，以协调器的时间为准。',
    },
    consequence: {
      en: 'A short window follows changes of the data faster, and leaves less to train on. Devices without such examples decline. Empty: all examples, also those whose time is not known.',
      zh: '窗口越短，越快跟上数据的变化，可训练的样本也越少。没有此类样本的设备会跳过本轮。留空则使用全部样本，包括时间未知的样本。',
    },
    requires: (value) => (value === null ? [] : ['data:window']),
  }),
  replayShare: real(0, 1, {
    default: 0,
    label: { en: 'Replay share', zh: '旧样本重用比例' },
    unit: share,
    help: {
      en: 'The share of the examples older than the training window that a device trains on too, drawn anew in each round.',
      zh: '早于训练时间窗口的样本中，设备仍用于训练的比例，每轮重新抽取。',
    },
    consequence: {
      en: 'More keeps the model from forgetting what it learned before, and costs time. Without a window it changes nothing.',
      zh: '比例越大，模型越不易遗忘以前学到的内容，但耗时更多。未设时间窗口时不起作用。',
    },
  }),
} as const;
