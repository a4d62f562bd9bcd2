import type { Localized, Plan } from '@coppice/protocol';

/** A starting point for a plan: its changes to the task's defaults. */
export interface Preset {
  readonly id: string;
  readonly title: Localized;
  readonly help: Localized;
  readonly plan: Partial<Plan>;
}

export const presets: readonly Preset[] = [
  {
    id: 'default',
    title: { en: 'The task’s own', zh: '任务默认' },
    help: { en: 'What the task recommends.', zh: '任务推荐的设置。' },
    plan: {},
  },
  {
    id: 'quick',
    title: { en: 'Quick look', zh: '快速一试' },
    help: {
      en: 'Five rounds that begin with a single participant: to see everything work.',
      zh: '五轮，一位参与者即可开始：看看一切是否正常。',
    },
    plan: { rounds: 5, minParticipants: 1, deadlineSeconds: 60, overSelection: 1 },
  },
  {
    id: 'paper',
    title: { en: 'FedAvg paper, IID', zh: 'FedAvg 论文（IID）' },
    help: {
      en: 'A tenth of the participants each round, one local epoch in batches of ten, until 97 % (McMahan et al., 2017, table 2).',
      zh: '每轮邀请十分之一参与者，本地一遍、批大小十，直到 97%（McMahan 等，2017，表 2）。',
    },
    plan: {
      cohortFraction: 0.1,
      cohortSize: null,
      overSelection: 1,
      epochs: 1,
      batchSize: 10,
      optimizer: 'sgd',
      learningRate: 0.1,
      rounds: 200,
      targetAccuracy: 0.97,
    },
  },
  {
    id: 'flaky',
    title: { en: 'Phones on the move', zh: '不稳定的手机' },
    help: {
      en: 'Asks half as many again, waits little and goes on with 40 %: for devices that come and go.',
      zh: '多邀请一半、少等待、四成交回即继续：适合时来时去的设备。',
    },
    plan: { overSelection: 1.5, quorum: 0.4, deadlineSeconds: 60, graceSeconds: 10 },
  },
];
