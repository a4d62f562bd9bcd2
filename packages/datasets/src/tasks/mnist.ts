import type { ImageData, Task } from '@coppice/protocol';
import { conv2d, dense, flatten, maxPool, sequential } from './layers.ts';

const data: ImageData = {
  kind: 'image',
  width: 28,
  height: 28,
  channels: 1,
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  ink: 'light-on-dark',
  drawable: true,
};

/** The 2NN of McMahan et al., 2017: 199,210 parameters. */
export const mnist2nn: Task = {
  id: 'mnist-2nn',
  title: { en: 'Handwritten digits', zh: '手写数字' },
  description: {
    en: 'Learn to read single handwritten digits, 0 to 9, from small grey pictures. A network with two hidden layers of 200; quick on any device. Draw your own digits, drop pictures of them, or take a share of the MNIST pictures.',
    zh: '学习从小幅灰度图片中辨认单个手写数字（0 到 9）。网络有两个各 200 单元的隐藏层，任何设备都能很快训练。可以自己手写、拖入图片，或领取一份 MNIST 图片。',
  },
  data,
  model: sequential('mnist_2nn', [
    dense('hidden1', 200, 'relu', [28 * 28]),
    dense('hidden2', 200, 'relu'),
    dense('digit', 10, 'softmax'),
  ]),
  loss: 'categoricalCrossentropy',
  heldOut: 0.1,
  samples: true,
  planDefaults: { optimizer: 'sgd', learningRate: 0.1, batchSize: 10, epochs: 1, rounds: 20 },
};

/** The CNN of McMahan et al., 2017: 1,663,370 parameters. */
export const mnistCnn: Task = {
  id: 'mnist-cnn',
  title: { en: 'Handwritten digits (convolutional)', zh: '手写数字（卷积网络）' },
  description: {
    en: 'Learn to read single handwritten digits, 0 to 9, with a convolutional network. More accurate than the small network, but eight times its size and much more work for each device: best with a graphics processor.',
    zh: '用卷积网络学习辨认单个手写数字（0 到 9）。比小网络更准确，但大小是其八倍，每台设备的计算量也大得多，最好有图形处理器。',
  },
  data,
  model: sequential('mnist_cnn', [
    conv2d('conv1', 32, 5, [28, 28, 1]),
    maxPool('pool1'),
    conv2d('conv2', 64, 5),
    maxPool('pool2'),
    flatten('flat'),
    dense('hidden', 512, 'relu'),
    dense('digit', 10, 'softmax'),
  ]),
  loss: 'categoricalCrossentropy',
  heldOut: 0.1,
  samples: true,
  planDefaults: {
    optimizer: 'sgd',
    learningRate: 0.05,
    batchSize: 10,
    epochs: 1,
    rounds: 10,
    deadlineSeconds: 600,
  },
};
