import {
  builtInTask,
  type PictureScript,
  pictureStream,
  type Stream,
  type StreamSize,
} from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Task } from '@coppice/protocol';

/**
 * Handwritten digits by the network with two hidden layers. A fifth is held out, so that devices with few examples can compare
 * two models.
 */
export const digits: Task = {
  ...(builtInTask('mnist-2nn') as Task),
  id: 'digits',
  heldOut: 0.2,
  samples: false,
};

/** The training pictures of MNIST, turned by the angle of each period. */
export async function digitStream(
  size: StreamSize,
  seed: number,
  degrees: PictureScript['degrees'],
): Promise<Stream> {
  const { train: pictures } = await loadTaskData('mnist-2nn');
  return pictureStream({ ...size, task: digits, pictures, seed, degrees });
}
