import { MAX_COHORT } from '../limits.ts';
import { above, choice, int, optional, real } from './field.ts';
import { participants, seconds, share } from './units.ts';

/** The section on cohorts, rounds and the end of a run. */
export const rounds = {
  cohortFraction: above(0, 1, {
    default: 1,
    flag: { name: 'fraction', takes: 'C' },
    label: { en: 'Cohort, as a share', zh: '每轮人数（比例）' },
    unit: share,
    help: {
      en: 'The share of the connected participants that a round aims for.',
      zh: '每轮目标人数占在线参与者的比例。',
    },
    consequence: {
      en: 'A small share saves traffic; a large one makes the mean steadier. Ignored where a cohort size is set.',
      zh: '比例小则省流量，比例大则平均值更稳定。若设置了固定人数则忽略。',
    },
  }),
  cohortSize: optional(int, 1, MAX_COHORT, {
    default: null,
    flag: { name: 'cohort', takes: 'K' },
    label: { en: 'Cohort, as a number', zh: '每轮人数（固定）' },
    unit: participants,
    help: { en: 'The number of updates that a round aims for.', zh: '每轮希望得到的更新份数。' },
    consequence: {
      en: 'Replaces the share. Empty: by share.',
      zh: '替代按比例的设置。留空则按比例。',
    },
  }),
  overSelection: real(1, 5, {
    default: 1.3,
    flag: { name: 'over-select', takes: 'X' },
    simulation: { value: 1, words: '1; above 1 the result depends on timing' },
    label: { en: 'Over-selection', zh: '超额邀请' },
    unit: { en: '× cohort', zh: '× 人数' },
    help: {
      en: 'The number of participants asked, as a multiple of the cohort. The round closes with the first answers, but waits for a participant that was too slow in the round before.',
      zh: '邀请人数是目标人数的多少倍。收齐目标数量即结束本轮，但上一次因慢而未被计入的参与者，这一次会等它。',
    },
    consequence: {
      en: 'Slow devices delay a round less, but part of their work is lost: 1.3 asks 130 % and needs 100 %.',
      zh: '慢设备对一轮的拖延更少，但它们的部分计算会浪费。1.3 即邀请 130%，收到 100% 即可。',
    },
  }),
  minParticipants: int(1, 100_000, {
    default: 2,
    simulation: { value: ({ clients }) => clients, words: 'all clients', repeats: true },
    label: { en: 'Participants to begin', zh: '开始所需人数' },
    unit: participants,
    help: {
      en: 'The number of connected and ready participants that a round needs to begin.',
      zh: '一轮开始所需的、在线且就绪的参与者人数。',
    },
    consequence: {
      en: 'With 1, a single participant can train alone.',
      zh: '设为 1 时，一位参与者也能单独训练。',
    },
  }),
  quorum: real(0, 1, {
    default: 0.5,
    simulation: { value: 0, repeats: true },
    label: { en: 'Quorum', zh: '法定份额' },
    unit: share,
    help: {
      en: 'The share of the cohort that must deliver by the deadline; at least one update.',
      zh: '截止时必须交回更新的人数占目标人数的比例，至少一份。',
    },
    consequence: {
      en: 'With fewer updates the round is abandoned and the model stays as it was.',
      zh: '不足则放弃本轮，模型保持不变。',
    },
  }),
  deadlineSeconds: real(1, 86_400, {
    default: 120,
    simulation: { value: 86_400, repeats: true },
    label: { en: 'Deadline', zh: '截止时间' },
    unit: seconds,
    help: {
      en: 'The longest time that a round waits for updates.',
      zh: '一轮等待更新的最长时间。',
    },
    consequence: {
      en: 'A timer ends the round then; updates that arrive later do not count.',
      zh: '到时由计时器结束本轮，之后到达的更新无效。',
    },
  }),
  graceSeconds: real(0, 3600, {
    default: 5,
    simulation: { value: 3600, repeats: true },
    label: { en: 'Grace after a lost connection', zh: '断线宽限' },
    unit: seconds,
    help: {
      en: 'The time that a disconnected participant has to return to the open round.',
      zh: '断线的参与者可在多久之内回到当前一轮。',
    },
    consequence: {
      en: 'After that the round continues without it.',
      zh: '超过此时间，本轮不再等待该参与者。',
    },
  }),
  rounds: int(1, 100_000, {
    default: 20,
    flag: { takes: 'R' },
    simulation: {
      value: ({ given }) =>
        typeof given.targetAccuracy === 'number' || typeof given.targetValue === 'number' ? 1000 : 20,
      words: '20; 1000 with --target-accuracy or --target-value',
    },
    label: { en: 'Rounds', zh: '轮数' },
    unit: { en: 'rounds', zh: '轮' },
    help: { en: 'The number of committed rounds that ends the run.', zh: '完成这么多轮后训练结束。' },
    consequence: {
      en: 'More rounds take more time and traffic, and usually end with a better model.',
      zh: '轮数越多，耗时和流量越多，模型通常也越好。',
    },
  }),
  targetAccuracy: optional(real, 0, 1, {
    default: null,
    flag: { takes: 'A' },
    label: { en: 'Stop at accuracy', zh: '达到准确率即停' },
    unit: share,
    help: {
      en: 'The accuracy on the test data that ends the run early.',
      zh: '测试数据上的准确率达到此值时提前结束。',
    },
    consequence: { en: 'Empty: all rounds.', zh: '留空则跑完所有轮。' },
  }),
  targetMetric: choice(
    {
      accuracy: { en: 'Accuracy', zh: '准确率' },
      loss: { en: 'Loss', zh: '损失' },
      mae: { en: 'Mean absolute error', zh: '平均绝对误差' },
      rmse: { en: 'Root mean square error', zh: '均方根误差' },
      r2: { en: 'R²', zh: 'R²' },
      auroc: { en: 'Area under the ROC curve (AUROC)', zh: 'ROC 曲线下面积（AUROC）' },
      prAuc: { en: 'Area under the precision–recall curve', zh: '精确率–召回率曲线下面积' },
      precision: { en: 'Precision', zh: '精确率' },
      recall: { en: 'Recall', zh: '召回率' },
      f1: { en: 'F1', zh: 'F1 值' },
    },
    {
      default: 'accuracy',
      flag: { takes: 'NAME' },
      label: { en: 'Measure to stop at', zh: '提前结束所看的指标' },
      help: {
        en: 'The measure on the test data that the value to stop at is of.',
        zh: '停止值所指的、在测试数据上的指标。',
      },
      consequence: {
        en: 'Loss and errors end the run at or below the value, all others at or above it. A task must ask for the measure; loss and accuracy are always there.',
        zh: '损失和误差不高于该值时结束，其他指标不低于该值时结束。任务须要求该指标；损失和准确率始终可用。',
      },
    },
  ),
  targetValue: optional(real, -1e9, 1e9, {
    default: null,
    flag: { takes: 'X' },
    label: { en: 'Value to stop at', zh: '达到此值即停' },
    help: {
      en: 'The value of that measure on the test data, errors in the unit of the target, that ends the run early.',
      zh: '测试数据上该指标达到此值时提前结束；误差以目标的单位计。',
    },
    consequence: { en: 'Empty: all rounds.', zh: '留空则跑完所有轮。' },
  }),
  seed: int(0, 0xffff_ffff, {
    default: 1,
    flag: { takes: 'S' },
    simulation: { value: 1 },
    label: { en: 'Seed', zh: '随机种子' },
    help: {
      en: 'Fixes the initial weights and the order of the data; in a simulation also the selection.',
      zh: '决定初始权重与数据次序；在模拟中还决定抽选。',
    },
    consequence: {
      en: 'The same seed with the same participants in every round gives the same model.',
      zh: '种子相同且每轮参与者相同，则模型相同。',
    },
  }),
} as const;
