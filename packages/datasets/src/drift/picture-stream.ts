import { seededRandom, shuffle } from '@coppice/ports';
import { CoppiceError, type Task } from '@coppice/protocol';
import { type RawExamples, selectExamples } from '../examples.ts';
import { rotatePictures } from './rotate.ts';
import { countIn, type Stream, type StreamSize } from './stream.ts';

export interface PictureScript extends StreamSize {
  /** A task of pictures, and all pictures that there are. Each is given to one participant in one period at most. */
  readonly task: Task;
  readonly pictures: RawExamples;
  readonly seed: number | string;
  /** The angle by which the pictures of a period are turned. */
  readonly degrees: (period: number) => number;
}

/**
 * Pictures dealt out to participants and periods, turned by the script's angle.
 *
 * @throws CoppiceError `config-invalid` where there are fewer pictures than the script gives.
 */
export function pictureStream(script: PictureScript): Stream {
  const { task, pictures, seed, degrees, participants, periods, first, each } = script;
  if (task.data.kind !== 'image') throw new TypeError(`${task.id} is no task of pictures`);
  const { data } = task;
  const share = first + periods * each;
  if (participants * share > pictures.count)
    throw new CoppiceError(
      'config-invalid',
      `The script gives ${participants} participants ${share} pictures each, and there are ${pictures.count}. Use fewer participants, periods or pictures a period.`,
    );
  const order = shuffle(
    Uint32Array.from({ length: pictures.count }, (_, row) => row),
    seededRandom(seed, 'picture-stream'),
  );
  return {
    task,
    examples(participant, period) {
      const from = participant * share + (period === 0 ? 0 : first + (period - 1) * each);
      const rows = order.subarray(from, from + countIn(period, script));
      const dealt = selectExamples(pictures, rows);
      const angle = degrees(period);
      return angle === 0 ? dealt : rotatePictures(dealt, data, angle);
    },
  };
}
