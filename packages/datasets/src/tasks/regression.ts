import { normal, seededRandom } from '@coppice/ports';
import type { Task } from '@coppice/protocol';
import type { RawExamples, TaskData } from '../examples.ts';
import { dense, sequential } from './layers.ts';

const FEATURES = 10;

/** Standard deviation of the noise in the targets. */
const NOISE = 0.1;

/**
 * The mean squared error of the rule itself: the variance of the noise. No model can do better on new data, and this
 * task's model can represent the rule exactly, so it is the known optimum.
 */
export const REGRESSION_BEST_LOSS = NOISE ** 2;

/**
 * The rule behind the data: y = 1 + 2·x₁ − x₂ + 0.5·x₃ + |x₄ + x₅| − 2·max(0, x₆ − 0.5). The columns x₇ … x₁₀ are
 * unrelated to y.
 *
 * Ten ReLU units can represent it: two for the linear part (z = max(0, z) − max(0, −z)), two for the absolute value,
 * one for the bend.
 */
export function regressionRule(x: ArrayLike<number>): number {
  const at = (i: number) => x[i - 1] as number;
  return 1 + 2 * at(1) - at(2) + 0.5 * at(3) + Math.abs(at(4) + at(5)) - 2 * Math.max(0, at(6) - 0.5);
}

/** Generates examples by the rule: columns from the standard normal distribution, targets with noise. */
export function regressionExamples(count: number, seed: number | string): RawExamples {
  const random = seededRandom(seed, 'regression');
  const features = new Float32Array(count * FEATURES);
  const labels = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const row = features.subarray(i * FEATURES, (i + 1) * FEATURES);
    for (let j = 0; j < FEATURES; j++) row[j] = normal(random);
    labels[i] = regressionRule(row) + NOISE * normal(random);
  }
  return { count, features, labels };
}

/** Generates the task's data: always the same 5,000 examples for training and 1,000 for testing. */
export function regressionData(): TaskData {
  return { train: regressionExamples(5000, 'train'), test: regressionExamples(1000, 'test') };
}

/** A task with a known answer: 121 parameters, generated data. */
export const regression: Task = {
  id: 'regression',
  title: { en: 'A known rule', zh: '已知的规律' },
  description: {
    en: 'Predict a number from ten columns. The data is made by a known rule with a little noise, so the best possible loss is known too: 0.01. Good for checking that training works as it should.',
    zh: '由十列数值预测一个数。数据按已知规律生成并加少量噪声，因此最小可能损失也已知：0.01。适合检验训练是否正常。',
  },
  data: {
    kind: 'table',
    features: Array.from({ length: FEATURES }, (_, i) => ({ name: `x${i + 1}`, mean: 0, scale: 1 })),
    target: { kind: 'number', name: 'y' },
  },
  model: sequential('regression', [dense('hidden', 10, 'relu', [FEATURES]), dense('y', 1, 'linear')]),
  loss: 'meanSquaredError',
  heldOut: 0.1,
  samples: true,
  planDefaults: { optimizer: 'adam', learningRate: 0.01, batchSize: 32, epochs: 5, rounds: 20 },
};
