import { type Layout, modelSize, shapeSize } from '@coppice/protocol';
import { STEP_PARAMETERS, type Steps } from '../steps.ts';
import { bytesOf, readingBytes, SLICE_ALIGNMENT, type Values } from './values.ts';

/** A run of parameters that are either all trainable or all non-trainable. */
interface Segment {
  readonly trainable: boolean;
  /** Offset of its first parameter in the model, and among parameters of its kind. */
  readonly at: number;
  readonly own: number;
  readonly length: number;
}

/** A vector in layout order, read from separately encoded trainable values and float32 others. */
export function interleaved(layout: Layout, plain: Uint8Array, trainable: Values): Values {
  const segments = segmentsOf(layout);
  const last = segments.at(-1);
  return {
    parameters: last === undefined ? 0 : last.at + last.length,
    read(memory, from, count, to) {
      const inside = segments.filter(({ at, length }) => at < from + count && at + length > from);
      const trained = inside.filter((segment) => segment.trainable);
      // Codecs are read from the beginning of a block; where it lies among all parameters is another matter.
      const first = trained[0];
      const final = trained.at(-1);
      const begin = first === undefined ? 0 : floor(first.own + Math.max(0, from - first.at));
      const end =
        final === undefined
          ? 0
          : Math.min(
              trainable.parameters,
              floor(final.own + Math.min(final.length, from + count - final.at) - 1) + SLICE_ALIGNMENT,
            );
      const aside = to + readingBytes(count);
      if (end > begin) trainable.read(memory, begin, end - begin, aside);
      const bytes = bytesOf(memory);
      for (const segment of inside) {
        const low = Math.max(from, segment.at);
        const high = Math.min(from + count, segment.at + segment.length);
        const own = segment.own + low - segment.at;
        const place = to + 4 * (low - from);
        if (segment.trainable) {
          const source = aside + 4 * (own - begin);
          bytes.copyWithin(place, source, source + 4 * (high - low));
        } else bytes.set(plain.subarray(4 * own, 4 * (own + high - low)), place);
      }
    },
  };
}

/**
 * The trainable values of a model, and the others, each in layout order; no copy where all are trainable. A piece of
 * the model at a time.
 */
export function* separated(
  layout: Layout,
  values: Float32Array,
): Steps<{ trainable: Float32Array; plain: Float32Array }> {
  if (layout.every(({ trainable }) => trainable)) return { trainable: values, plain: new Float32Array(0) };
  const segments = segmentsOf(layout);
  const { trainable, parameters } = modelSize(layout);
  const own = { true: new Float32Array(trainable), false: new Float32Array(parameters - trainable) };
  for (const segment of segments) {
    for (let done = 0; done < segment.length; ) {
      const at = segment.at + done;
      if (at > 0 && at % STEP_PARAMETERS === 0) yield;
      const count = Math.min(segment.length - done, STEP_PARAMETERS - (at % STEP_PARAMETERS));
      own[`${segment.trainable}`].set(values.subarray(at, at + count), segment.own + done);
      done += count;
    }
  }
  return { trainable: own.true, plain: own.false };
}

/** Copies numbers to `at` of others, a piece at a time. */
export function copied<T extends Float32Array | Uint8Array>(to: T, from: T, at: number): Steps<void> {
  return copiedRuns(to, [{ from, at }]);
}

/** Copies runs of numbers, each to its place, a piece at a time however short the runs are. */
export function* copiedRuns<T extends Float32Array | Uint8Array>(
  to: T,
  runs: Iterable<{ readonly from: T; readonly at: number }>,
): Steps<void> {
  let left = STEP_PARAMETERS;
  for (const { from, at } of runs) {
    for (let done = 0; done < from.length; ) {
      if (left === 0) {
        yield;
        left = STEP_PARAMETERS;
      }
      const count = Math.min(left, from.length - done);
      to.set(from.subarray(done, done + count) as T, at + done);
      done += count;
      left -= count;
    }
  }
}

function segmentsOf(layout: Layout): Segment[] {
  const segments: Segment[] = [];
  const own = { true: 0, false: 0 };
  let at = 0;
  for (const { shape, trainable } of layout) {
    const length = shapeSize(shape);
    segments.push({ trainable, at, own: own[`${trainable}`], length });
    own[`${trainable}`] += length;
    at += length;
  }
  return segments;
}

function floor(index: number): number {
  return index - (index % SLICE_ALIGNMENT);
}
