import { choice } from './field.ts';

/** Codecs that carry every number, for updates and for models. */
const everyNumber = {
  float32: { en: 'float32: 4 bytes a parameter, exact', zh: 'float32：每个参数 4 字节，无损' },
  float16: { en: 'float16: half the bytes', zh: 'float16：字节减半' },
  int8: { en: 'int8: a quarter of the bytes', zh: 'int8：四分之一的字节' },
  int4: { en: 'int4, rotated: an eighth of the bytes', zh: 'int4（旋转）：八分之一的字节' },
} as const;

const codec = (name: string): readonly string[] => (name === 'float32' ? [] : [`codec:${name}`]);

/** The section on the encoding of updates and models in transit. */
export const wire = {
  uploadCodec: choice(
    {
      ...everyNumber,
      top10: { en: 'the largest 10 %: a fifth of the bytes', zh: '最大的 10%：五分之一的字节' },
      top1: { en: 'the largest 1 %: a fiftieth of the bytes', zh: '最大的 1%：五十分之一的字节' },
    },
    {
      default: 'float32',
      simulation: { value: 'float32' },
      label: { en: 'Updates travel as', zh: '更新的传输编码' },
      help: { en: 'The encoding of updates on their way up.', zh: '更新上传时的编码。' },
      consequence: {
        en: 'int8 and int4 round at random, so that the mean stays right; what the largest leave out is kept on the device and added to its next update.',
        zh: 'int8 与 int4 随机舍入，平均值不变；“最大的”一类所略去的部分留在设备上，并入它的下一份更新。',
      },
      requires: codec,
    },
  ),
  downloadCodec: choice(everyNumber, {
    default: 'float32',
    simulation: { value: 'float32' },
    label: { en: 'Models travel as', zh: '模型的传输编码' },
    help: {
      en: 'The encoding of models on their way down to training.',
      zh: '模型下发训练时的编码。',
    },
    consequence: {
      en: 'The next field decides what is rounded, and with it how much the rounding matters.',
      zh: '被舍入的是什么、影响多大，由下一项决定。',
    },
    requires: codec,
  }),
  downloadForm: choice(
    {
      whole: { en: 'whole models', zh: '完整模型' },
      steps: { en: 'steps from the last model', zh: '自已有模型起的增量' },
    },
    {
      default: 'whole',
      simulation: { value: 'whole' },
      label: { en: 'What travels down', zh: '下发的内容' },
      help: {
        en: 'Whole models, or the steps from the last model on the device.',
        zh: '完整模型，或自设备上最近的模型起的增量。',
      },
      consequence: {
        en: 'Whole models are rounded for training only: all begin a round from the same rounded model. Steps are smaller and so rounded more finely, and the model itself moves by them. Devices without a recent model get an exact one, with all its bytes, so steps save where most take part in most rounds.',
        zh: '完整模型仅为训练而舍入：所有人从同一个舍入后的模型开始一轮。增量更小，舍入也更细，模型本身按增量更新。没有近期模型的设备会收到无损的完整模型，因此在多数人每轮都参与时才节省。',
      },
      requires: (value, plan) =>
        movesBySteps({ downloadForm: value, downloadCodec: String(plan.downloadCodec) })
          ? ['form:steps']
          : [],
    },
  ),
} as const;

/** Checks that a run's models move by rounded steps, which participants with an earlier model receive. */
export function movesBySteps(plan: {
  readonly downloadCodec: string;
  readonly downloadForm: string;
}): boolean {
  return plan.downloadForm === 'steps' && plan.downloadCodec !== 'float32';
}
