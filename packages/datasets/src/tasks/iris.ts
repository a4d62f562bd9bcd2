import type { Task } from '@coppice/protocol';
import { dense, sequential } from './layers.ts';

/** Fisher's iris measurements; 131 parameters. Means and scales are those of all 150 flowers. */
export const iris: Task = {
  id: 'iris',
  title: { en: 'Iris flowers', zh: '鸢尾花' },
  description: {
    en: 'Tell three kinds of iris apart by the length and width of their sepals and petals. A very small model and 150 flowers, measured by E. Anderson and made famous by R. A. Fisher in 1936: to try things out in seconds, or with a CSV file of your own.',
    zh: '根据花萼与花瓣的长和宽区分三种鸢尾花。模型很小，数据为 150 朵花，由 E. Anderson 测量、R. A. Fisher 于 1936 年发表：几秒即可试完，也可用自己的 CSV 文件。',
  },
  data: {
    kind: 'table',
    features: [
      { name: 'sepal length', unit: 'cm', mean: 5.8433, scale: 0.8253, min: 0, max: 20 },
      { name: 'sepal width', unit: 'cm', mean: 3.0573, scale: 0.4344, min: 0, max: 20 },
      { name: 'petal length', unit: 'cm', mean: 3.758, scale: 1.7594, min: 0, max: 20 },
      { name: 'petal width', unit: 'cm', mean: 1.1993, scale: 0.7597, min: 0, max: 20 },
    ],
    target: { kind: 'class', name: 'species', classes: ['setosa', 'versicolor', 'virginica'] },
  },
  model: sequential('iris', [dense('hidden', 16, 'relu', [4]), dense('species', 3, 'softmax')]),
  loss: 'categoricalCrossentropy',
  heldOut: 0.1,
  samples: true,
  planDefaults: { optimizer: 'sgd', learningRate: 0.1, batchSize: 8, epochs: 5, rounds: 20 },
};
