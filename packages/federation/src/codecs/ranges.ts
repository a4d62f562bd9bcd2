import { type Codec, encodedBytes, type Layout, modelSize, shapeSize } from '@coppice/protocol';
import { SLICE_ALIGNMENT } from './values.ts';

/** A byte range of a payload. */
export interface Range {
  readonly at: number;
  readonly length: number;
}

/**
 * The parts of a payload in which parameters `from` to before `from + count` are written, for readers that do not hold all
 * of it. `from` is a multiple of 4096.
 *
 * @throws RangeError for codecs whose numbers lie anywhere (`top1`, `top10`).
 */
export function payloadRanges(codec: Codec, layout: Layout, from: number, count: number): Range[] {
  if (codec === 'float32') return [{ at: 4 * from, length: 4 * count }];
  if (codec === 'top1' || codec === 'top10')
    throw new RangeError(`a payload of ${codec} cannot be read in parts`);
  const { parameters, trainable } = modelSize(layout);
  const plain = 4 * (parameters - trainable);
  const begin = floor(trainedBefore(layout, from));
  const end = Math.min(trainable, floor(trainedBefore(layout, from + count) - 1) + SLICE_ALIGNMENT);
  const ranges: Range[] = [];
  // Running statistics are few, and int4 begins with its seed.
  const head = plain + (codec === 'int4' ? 4 : 0);
  if (head > 0) ranges.push({ at: 0, length: head });
  if (end > begin) {
    const at = encodedBytes(codec, begin);
    ranges.push({ at: plain + at, length: encodedBytes(codec, end) - at });
  }
  return ranges;
}

function floor(index: number): number {
  return index - (((index % SLICE_ALIGNMENT) + SLICE_ALIGNMENT) % SLICE_ALIGNMENT);
}

function trainedBefore(layout: Layout, index: number): number {
  let at = 0;
  let trained = 0;
  for (const { shape, trainable } of layout) {
    if (at >= index) break;
    const length = Math.min(shapeSize(shape), index - at);
    if (trainable) trained += length;
    at += shapeSize(shape);
  }
  return trained;
}
