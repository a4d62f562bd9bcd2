import * as z from 'zod/mini';
import { MAX_EXAMPLES } from './limits.ts';
import type { Localized } from './task.ts';

/**
 * A plan says how a run trains: strategy, local training, round policy. Each field is one object:
 * schema, default, unit and a line of help. The admin page's form, the OpenAPI document and the
 * check at the boundary all come from here.
 */
export interface PlanField<T> {
  readonly schema: z.ZodMiniType<T, T>;
  readonly default: T;
  readonly group: PlanGroup;
  readonly label: Localized;
  /** What the field does and what follows from changing it. */
  readonly help: Localized;
  readonly unit?: Localized;
  readonly input: PlanInput;
}

export type PlanInput =
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly step: number | 'any';
      readonly optional?: boolean;
    }
  | {
      readonly kind: 'choice';
      readonly options: readonly { readonly value: string; readonly label: Localized }[];
    };

export type PlanGroup = 'training' | 'cohort' | 'round' | 'stop' | 'update';

interface Described<T> extends Omit<PlanField<T>, 'schema' | 'input'> {}

function int(min: number, max: number, field: Described<number>): PlanField<number> {
  return {
    ...field,
    schema: z.int().check(z.minimum(min), z.maximum(max)),
    input: { kind: 'number', min, max, step: 1 },
  };
}

function real(min: number, max: number, field: Described<number>): PlanField<number> {
  return {
    ...field,
    schema: z.number().check(z.minimum(min), z.maximum(max)),
    input: { kind: 'number', min, max, step: 'any' },
  };
}

/** May be left empty, and is by default unless `initial` says otherwise, whatever its description starts from. */
function optional(field: PlanField<number>, initial: number | null = null): PlanField<number | null> {
  const input = field.input.kind === 'number' ? { ...field.input, optional: true } : field.input;
  return { ...field, schema: z.nullable(field.schema), default: initial, input } as PlanField<number | null>;
}

function choice<const T extends string>(
  options: Record<T, Localized>,
  field: Described<NoInfer<T>>,
): PlanField<T> {
  const values = Object.keys(options) as [T, ...T[]];
  return {
    ...field,
    schema: z.enum(values) as unknown as z.ZodMiniType<T, T>,
    input: { kind: 'choice', options: values.map((value) => ({ value, label: options[value] })) },
  };
}

const share = { en: 'share, 0–1', zh: '比例，0–1' };
const seconds = { en: 'seconds', zh: '秒' };
const participants = { en: 'participants', zh: '位参与者' };

/** Codecs that write every number, for updates and for models. */
const everyNumber = {
  float32: { en: 'float32: 4 bytes a parameter, exact', zh: 'float32：每个参数 4 字节，无损' },
  float16: { en: 'float16: half the bytes', zh: 'float16：字节减半' },
  int8: { en: 'int8: a quarter of the bytes', zh: 'int8：四分之一的字节' },
  int4: { en: 'int4, rotated: an eighth of the bytes', zh: 'int4（旋转）：八分之一的字节' },
} as const;

export const planFields = {
  strategy: choice(
    { fedavg: { en: 'FedAvg', zh: 'FedAvg（联邦平均）' } },
    {
      default: 'fedavg',
      group: 'training',
      label: { en: 'Strategy', zh: '聚合策略' },
      help: {
        en: "The rule that turns a round's updates into the next model. FedAvg takes their mean, weighted by example count (McMahan et al., 2017).",
        zh: '把一轮的更新合成下一个模型的规则。FedAvg 按样本数加权平均（McMahan 等，2017）。',
      },
    },
  ),
  serverLearningRate: real(0.001, 10, {
    default: 1,
    group: 'training',
    label: { en: 'Server learning rate', zh: '服务器学习率' },
    help: {
      en: 'How much of the mean update is applied. 1 is plain FedAvg; less moves more carefully.',
      zh: '平均更新被采用的比例。1 即普通 FedAvg；更小则更谨慎。',
    },
  }),
  epochs: int(1, 1000, {
    default: 1,
    group: 'training',
    label: { en: 'Local epochs', zh: '本地训练轮次' },
    unit: { en: 'passes', zh: '遍' },
    help: {
      en: 'How often a participant goes through its own data each round. More means fewer rounds but longer ones.',
      zh: '每一轮中，参与者把自己的数据过几遍。越多则轮数越少、每轮越久。',
    },
  }),
  batchSize: int(1, 65_536, {
    default: 10,
    group: 'training',
    label: { en: 'Batch size', zh: '批大小' },
    unit: { en: 'examples', zh: '个样本' },
    help: {
      en: 'Examples per training step. Small batches learn more from each pass; large ones are faster on a GPU.',
      zh: '每一步使用的样本数。小批学得更细，大批在 GPU 上更快。',
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
      group: 'training',
      label: { en: 'Local optimizer', zh: '本地优化器' },
      help: {
        en: 'The optimizer on each device. Its state starts fresh every round.',
        zh: '每台设备上的优化器，其状态每轮从零开始。',
      },
    },
  ),
  learningRate: real(1e-7, 100, {
    default: 0.1,
    group: 'training',
    label: { en: 'Local learning rate', zh: '本地学习率' },
    help: {
      en: 'The step size on each device. Too large and the loss becomes NaN: those updates are refused.',
      zh: '每台设备上的步长。过大会让损失变成 NaN，这样的更新会被拒绝。',
    },
  }),
  proximal: real(0, 100, {
    default: 0,
    group: 'training',
    label: { en: 'Proximal term μ (FedProx)', zh: '近端项 μ（FedProx）' },
    help: {
      en: 'Pulls local training back to the model it began from: μ/2 times the squared distance is added to the loss (Li et al., 2020). Helps where data differ much between devices; 0 is plain FedAvg.',
      zh: '把本地训练拉向它开始时的模型：在损失上加 μ/2 乘以距离的平方（Li 等，2020）。各设备数据差异很大时有帮助；0 即普通 FedAvg。',
    },
  }),
  evaluationShare: real(0, 0.9, {
    default: 0.1,
    group: 'training',
    label: { en: 'Local evaluation share', zh: '本地评估比例' },
    unit: share,
    help: {
      en: "The share of each participant's examples kept out of training, on which the global model is measured. 0: nothing is kept out, and nothing measured.",
      zh: '每位参与者留作评估、不参与训练的样本比例。0 表示不留出样本，也不在设备上评估。',
    },
  }),
  cohortFraction: real(0.0001, 1, {
    default: 1,
    group: 'cohort',
    label: { en: 'Cohort, as a share', zh: '每轮人数（比例）' },
    unit: share,
    help: {
      en: 'The share of the connected participants asked in each round. Ignored where a cohort size is given.',
      zh: '每轮邀请的在线参与者比例。若填写了固定人数则忽略。',
    },
  }),
  cohortSize: optional(
    int(1, 100_000, {
      default: 0,
      group: 'cohort',
      label: { en: 'Cohort, as a number', zh: '每轮人数（固定）' },
      unit: participants,
      help: {
        en: 'How many updates a round aims for. Empty: by share.',
        zh: '每轮希望得到多少份更新。留空则按比例。',
      },
    }),
  ),
  overSelection: real(1, 5, {
    default: 1.3,
    group: 'cohort',
    label: { en: 'Over-selection', zh: '超额邀请' },
    unit: { en: '× cohort', zh: '× 人数' },
    help: {
      en: 'How many more are asked than needed, so that slow ones need not be waited for: 1.3 asks 130 % and takes the first 100 %.',
      zh: '多邀请一些人，不必等最慢的。1.3 即邀请 130%，取最先到达的 100%。',
    },
  }),
  minParticipants: int(1, 100_000, {
    default: 2,
    group: 'cohort',
    label: { en: 'Participants to begin', zh: '开始所需人数' },
    unit: participants,
    help: {
      en: 'A round begins only when so many are connected and ready. With 1, a single person can train alone.',
      zh: '至少有这么多人在线并就绪，一轮才会开始。设为 1 时，一个人也能训练。',
    },
  }),
  quorum: real(0, 1, {
    default: 0.5,
    group: 'round',
    label: { en: 'Quorum', zh: '法定份额' },
    unit: share,
    help: {
      en: 'The share of the cohort that must deliver, at least one. With fewer at the deadline the round is abandoned and the model stays as it was.',
      zh: '必须交回更新的比例，至少一份。截止时不足，则放弃本轮，模型保持不变。',
    },
  }),
  deadlineSeconds: real(1, 86_400, {
    default: 120,
    group: 'round',
    label: { en: 'Deadline', zh: '截止时间' },
    unit: seconds,
    help: {
      en: 'How long a round waits for updates. A timer ends it, whoever is silent.',
      zh: '一轮最多等待多久。到时由计时器结束，无论谁没有回应。',
    },
  }),
  graceSeconds: real(0, 3600, {
    default: 5,
    group: 'round',
    label: { en: 'Grace after a lost connection', zh: '断线宽限' },
    unit: seconds,
    help: {
      en: 'How long a participant whose connection broke may take to come back before the round goes on without it.',
      zh: '连接中断的参与者在多久之内回来，仍算在本轮之内。',
    },
  }),
  maxExamples: int(1, MAX_EXAMPLES, {
    default: 100_000,
    group: 'update',
    label: { en: 'Most examples that count', zh: '样本数上限' },
    unit: { en: 'examples', zh: '个样本' },
    help: {
      en: "An update that claims more examples than this is refused: nobody's weight in the mean can be inflated without bound.",
      zh: '声称样本数超过此值的更新会被拒绝，以免有人无限放大自己的权重。',
    },
  }),
  clipNorm: optional(
    real(1e-6, 1e6, {
      default: 0,
      group: 'update',
      label: { en: 'Clip the update to norm', zh: '更新裁剪范数' },
      unit: { en: 'L2 norm', zh: 'L2 范数' },
      help: {
        en: 'An update longer than this is scaled down before it leaves the device. Empty: no clipping.',
        zh: '超过此长度的更新在离开设备之前先缩短。留空则不裁剪。',
      },
    }),
  ),
  maxNorm: optional(
    real(1e-6, 1e9, {
      default: 1000,
      group: 'update',
      label: { en: 'Largest update that counts', zh: '更新范数上限' },
      unit: { en: 'L2 norm', zh: 'L2 范数' },
      help: {
        en: 'An update longer than this is refused: nobody can throw the model far off in one round. Honest updates seldom pass 100; inputs or targets that are not scaled may need more. Empty: no bound.',
        zh: '超过此长度的更新会被拒绝，谁也不能在一轮之内把模型带偏太远。正常更新很少超过 100；未缩放的输入或目标可能需要更大。留空则不设上限。',
      },
    }),
    1000,
  ),
  uploadCodec: choice(
    {
      ...everyNumber,
      top10: { en: 'the largest 10 %: a fifth of the bytes', zh: '最大的 10%：五分之一的字节' },
      top1: { en: 'the largest 1 %: a fiftieth of the bytes', zh: '最大的 1%：五十分之一的字节' },
    },
    {
      default: 'float32',
      group: 'update',
      label: { en: 'Updates travel as', zh: '更新的传输编码' },
      help: {
        en: 'How updates are written on their way up. int8 and int4 are rounded at random, so that their mean is right; what the largest leave out is kept on the device and added to its next update.',
        zh: '更新上传时的写法。int8 与 int4 随机舍入，平均值不变；“最大的”一类所略去的部分留在设备上，并入它的下一份更新。',
      },
    },
  ),
  downloadCodec: choice(everyNumber, {
    default: 'float32',
    group: 'update',
    label: { en: 'Models travel as', zh: '模型的传输编码' },
    help: {
      en: 'How models are written on their way down to training. What is rounded, and how much of it shows, is a matter of the next field.',
      zh: '模型下发训练时的写法。被舍入的是什么、影响多大，由下一项决定。',
    },
  }),
  downloadForm: choice(
    {
      whole: { en: 'whole models', zh: '完整模型' },
      steps: { en: 'steps from the last one that is there', zh: '自已有模型起的增量' },
    },
    {
      default: 'whole',
      group: 'update',
      label: { en: 'What travels down', zh: '下发的内容' },
      help: {
        en: 'Whole models are rounded for training only: all begin a round from the same rounded model. Steps are rounded more finely, as they are smaller, and the model itself moves by them; whoever has no recent model gets an exact one, with all its bytes, so they save where most take part in most rounds.',
        zh: '完整模型仅为训练而舍入：所有人从同一个舍入后的模型开始一轮。增量更小，舍入也更细，模型本身按增量更新；没有近期模型的人会收到无损的完整模型，因此在多数人每轮都参与时才节省。',
      },
    },
  ),
  rounds: int(1, 100_000, {
    default: 20,
    group: 'stop',
    label: { en: 'Rounds', zh: '轮数' },
    unit: { en: 'rounds', zh: '轮' },
    help: { en: 'The run ends after so many committed rounds.', zh: '完成这么多轮后结束。' },
  }),
  targetAccuracy: optional(
    real(0, 1, {
      default: 0,
      group: 'stop',
      label: { en: 'Stop at accuracy', zh: '达到准确率即停' },
      unit: share,
      help: {
        en: 'The run ends early when the central accuracy reaches this. Empty: all rounds.',
        zh: '中心评估准确率达到此值时提前结束。留空则跑完所有轮。',
      },
    }),
  ),
  seed: int(0, 0xffff_ffff, {
    default: 1,
    group: 'stop',
    label: { en: 'Seed', zh: '随机种子' },
    help: {
      en: 'Fixes the initial weights, who is selected and how data is shuffled. Same seed and same participants: same model.',
      zh: '决定初始权重、抽选与数据打乱的次序。种子与参与者相同，则模型相同。',
    },
  }),
} as const;

type Fields = typeof planFields;
export type PlanFieldName = keyof Fields;

type Values = { -readonly [K in PlanFieldName]: Fields[K] extends PlanField<infer T> ? T : never };
export interface Plan extends Values {}

export const defaultPlan: Plan = Object.fromEntries(
  Object.entries(planFields).map(([key, field]) => [key, field.default]),
) as unknown as Plan;

/**
 * What a plan from before a field was there means: fields that may be empty are, nothing pulls back, and numbers
 * travel as they are.
 */
export const unsetPlanFields: Partial<Plan> = {
  ...Object.fromEntries(
    Object.entries(planFields).flatMap(([key, { input }]) =>
      input.kind === 'number' && input.optional ? [[key, null]] : [],
    ),
  ),
  proximal: 0,
  uploadCodec: 'float32',
  downloadCodec: 'float32',
  downloadForm: 'whole',
};

/** A whole plan: every field given. */
export const PlanSchema = z.strictObject(
  Object.fromEntries(Object.entries(planFields).map(([key, field]) => [key, field.schema])) as {
    [K in PlanFieldName]: z.ZodMiniType<Plan[K], Plan[K]>;
  },
);

/** What a caller sends: any of the fields; the task's and the general defaults fill the rest. */
export const PlanInputSchema = z.partial(PlanSchema);
export type PlanInputValues = z.infer<typeof PlanInputSchema>;

/** Whether the models of a run move by rounded steps, which are sent to those who have an earlier one. */
export function movesBySteps(plan: Pick<Plan, 'downloadCodec' | 'downloadForm'>): boolean {
  return plan.downloadForm === 'steps' && plan.downloadCodec !== 'float32';
}
