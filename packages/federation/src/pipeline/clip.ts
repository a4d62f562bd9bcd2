import { type Section, sectionLayout, shapeSize } from '@coppice/protocol';
import { trainableNorm } from '../metrics.ts';
import type { NormBound } from './norm-bound.ts';
import type { Bounds, NumbersStep } from './pipeline.ts';

/** Clipping scales in float32, so that the result may be longer than asked by its rounding. */
const ROUNDING = 1 + 1e-5;

/**
 * Scales the steps of one group down to an L2 norm of at most `maxNorm`, all tensors taken together ("flat clipping":
 * McMahan et al., "Learning Differentially Private Recurrent Language Models", ICLR 2018). Averages pass unchanged: they
 * are measurements.
 */
export function clip(group: string, maxNorm: number): NumbersStep {
  return {
    name: 'clip',
    takes: 'numbers',
    gives: 'numbers',
    bounds(before: Bounds): Bounds {
      const most = before.get(group) ?? NO_BOUND;
      return new Map(before).set(group, {
        ...most,
        trainable: Math.min(most.trainable, maxNorm * ROUNDING),
      });
    },
    onParticipant(vectors, { sections }) {
      const values = vectors.get(group);
      const section = sections.find((one) => one.group === group);
      if (values === undefined || section === undefined) return vectors;
      const norm = trainableNorm(values, sectionLayout(section));
      if (norm <= maxNorm) return vectors;
      return new Map(vectors).set(group, scaledSteps(section, values, maxNorm / norm));
    },
  };
}

const NO_BOUND: NormBound = { trainable: Number.POSITIVE_INFINITY, nonTrainable: Number.POSITIVE_INFINITY };

/** A copy with the steps multiplied, the averages as they are. */
export function scaledSteps(section: Section, values: Float32Array, factor: number): Float32Array {
  const scaled = values.slice();
  let at = 0;
  for (const { shape, trainable } of sectionLayout(section)) {
    const end = at + shapeSize(shape);
    if (trainable) for (let i = at; i < end; i++) scaled[i] = (values[i] as number) * factor;
    at = end;
  }
  return scaled;
}
