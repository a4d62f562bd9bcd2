import { classesOf, inputSize, PlanInputSchema, TaskSchema } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { builtInTask, builtInTasks } from './index.ts';
import type { Layer } from './layers.ts';
import { REGRESSION_BEST_LOSS, regressionData, regressionRule } from './regression.ts';

type Config = { units?: number; filters?: number; kernel_size?: number[]; batch_input_shape?: number[] };

/** Parameters of a chain of layers, by the arithmetic of the layers' definitions. */
function parameters(layers: readonly Layer[]): { total: number; output: number[] } {
  let shape = (((layers[0] as Layer).config as Config).batch_input_shape as number[]).slice(1);
  let total = 0;
  for (const { class_name, config } of layers) {
    const { units, filters, kernel_size } = config as Config;
    const [height, width, channels] = shape as [number, number, number];
    if (class_name === 'Dense') {
      total += (shape[0] as number) * (units as number) + (units as number);
      shape = [units as number];
    } else if (class_name === 'Conv2D') {
      const [h, w] = kernel_size as [number, number];
      total += h * w * channels * (filters as number) + (filters as number);
      shape = [height, width, filters as number];
    } else if (class_name === 'MaxPooling2D') shape = [height >> 1, width >> 1, channels];
    else if (class_name === 'Flatten') shape = [height * width * channels];
    else throw new Error(`No arithmetic for ${class_name}`);
  }
  return { total, output: shape };
}

const layersOf = (id: string) =>
  (builtInTask(id)?.model.config as { layers: Layer[] } | undefined)?.layers ?? [];

describe.each(builtInTasks)('$id', (task) => {
  it('is a valid task with valid plan defaults, in both languages', () => {
    expect(TaskSchema.parse(task)).toEqual(task);
    expect(() => PlanInputSchema.parse(task.planDefaults)).not.toThrow();
    expect(task.title.zh).toBeTruthy();
    expect(task.description.zh).toBeTruthy();
    expect(builtInTask(task.id)).toBe(task);
  });

  it('has a model that takes its examples and answers in its classes', () => {
    const layers = layersOf(task.id);
    const input = ((layers[0] as Layer).config as Config).batch_input_shape as number[];
    expect(input.slice(1).reduce((size, dimension) => size * dimension, 1)).toBe(inputSize(task.data));
    expect(parameters(layers).output).toEqual([classesOf(task.data)?.length ?? 1]);
    expect(task.loss).toBe(classesOf(task.data) ? 'categoricalCrossentropy' : 'meanSquaredError');
    const names = layers.map((layer) => layer.config['name']);
    expect(new Set(names).size).toBe(names.length);
  });
});

it.each([
  ['mnist-2nn', 199_210],
  ['mnist-cnn', 1_663_370],
  ['iris', 131],
  ['regression', 121],
])('%s has %i parameters', (id, total) => {
  expect(parameters(layersOf(id)).total).toBe(total);
});

it('knows no other task', () => {
  expect(builtInTask('nothing')).toBeUndefined();
});

describe('the data of the known rule', () => {
  const { train, test } = regressionData();

  it('is always the same, and differs between training and test', () => {
    expect(regressionData()).toEqual({ train, test });
    expect(test.features.subarray(0, 10)).not.toEqual(train.features.subarray(0, 10));
  });

  it('leaves the rule itself with the loss that is called the best', () => {
    const errors = Array.from(
      train.labels,
      (y, i) => y - regressionRule(train.features.subarray(i * 10, i * 10 + 10)),
    );
    const loss = errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length;
    // The mean of n squared normal errors has a relative standard error of √(2/n), here 2 %.
    expect(Math.abs(loss / REGRESSION_BEST_LOSS - 1)).toBeLessThan(0.1);
  });

  it('can be represented by ten ReLU units', () => {
    const relu = (value: number) => Math.max(0, value);
    for (let i = 0; i < 100; i++) {
      const x = train.features.subarray(i * 10, i * 10 + 10);
      const [a, b, c, d, e, f] = x as unknown as [number, number, number, number, number, number];
      const linear = 2 * a - b + 0.5 * c;
      const network = 1 + relu(linear) - relu(-linear) + relu(d + e) + relu(-d - e) - 2 * relu(f - 0.5);
      expect(network).toBeCloseTo(regressionRule(x), 10);
    }
  });
});
