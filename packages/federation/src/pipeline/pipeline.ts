import { CoppiceError, type Section } from '@coppice/protocol';
import type { Contribution } from '../contributions/payload.ts';
import type { Steps } from '../steps.ts';
import type { NormBound } from './norm-bound.ts';

/** A contribution's vectors by group, each as long as its section. */
export type Vectors = ReadonlyMap<string, Float32Array>;

/** Norms that the vectors of a group must keep. */
export type Bounds = ReadonlyMap<string, NormBound>;

/** The form of a contribution between two steps. */
export type Form = 'numbers' | 'bytes';

/** A pipeline step's inputs beside the values. */
export interface StepContext {
  /** Sections of the vectors, followed by the section of the measures. */
  readonly sections: readonly Section[];
  readonly round: number;
  /** Seed of this participant's random bits in this round; 32 bits. */
  readonly seed: number;
  /** The place for the contribution's bytes, of the size that `contributionBytes` gives; left out: a new one. */
  readonly into?: Uint8Array;
}

/** Tensors that a pipeline keeps on the device with a contribution that counted, by name. */
export type PipelineKept = Readonly<Record<string, Float32Array>>;

interface Step {
  readonly name: string;
  readonly takes: Form;
  readonly gives: Form;
  /** The norms that an honest contribution keeps after this step, from those before it. Left out: as before. */
  bounds?(before: Bounds, sections: readonly Section[]): Bounds;
}

/** A step that changes numbers, such as clipping. It must not change its argument. */
export interface NumbersStep extends Step {
  readonly takes: 'numbers';
  readonly gives: 'numbers';
  onParticipant(vectors: Vectors, at: StepContext): Vectors;
}

/** A contribution as bytes. */
export interface Encoded {
  readonly payload: Uint8Array;
  /** The vectors that the coordinator will read in it. */
  readonly arrives: Vectors;
  /** Tensors to be kept, once the contribution has counted, for the next. */
  readonly kept: PipelineKept;
}

/** The step that writes numbers as bytes, with its reader: both sides stand here together, so that they cannot drift apart. */
export interface EncodingStep extends Step {
  readonly takes: 'numbers';
  readonly gives: 'bytes';
  /** Numbers that were left out of a group's last contribution, to be added to its next; `null`: none. */
  carry(group: string, kept: PipelineKept): Float32Array | null;
  /**
   * @param measures the float32 numbers of the measures, which travel as they are.
   * @param bounds norms that the numbers must keep as they arrive.
   * @throws CoppiceError `training-diverged` where a number is not finite.
   */
  onParticipant(vectors: Vectors, measures: Float32Array, bounds: Bounds, at: StepContext): Encoded;
  /** A piece of the payload at a time. @throws CoppiceError `frame-invalid`, `update-not-finite`, `update-measure` */
  onContribution(payload: Uint8Array, sections: readonly Section[]): Steps<Contribution>;
}

export type PipelineStep = NumbersStep | EncodingStep;

/** All that happens to a contribution between a strategy's two halves. */
export interface Pipeline {
  readonly steps: readonly PipelineStep[];
  /** The norms that an honest contribution keeps, clipping and all. */
  bounds(sections: readonly Section[], most: Bounds): Bounds;
  /** Numbers to be added to a group before its first step, rounded once with it; `null`: none. */
  carry(group: string, kept: PipelineKept): Float32Array | null;
  /** @throws CoppiceError `training-diverged` */
  onParticipant(vectors: Vectors, measures: Float32Array, most: Bounds, at: StepContext): Encoded;
  /** A piece of the payload at a time. @throws CoppiceError `frame-invalid`, `update-not-finite`, `update-measure` */
  onContribution(payload: Uint8Array, sections: readonly Section[]): Steps<Contribution>;
}

/**
 * Steps in the order in which a participant takes them.
 *
 * @throws CoppiceError `plan-invalid` where one does not take what the one before it gives, or no step makes bytes.
 */
export function pipeline(steps: readonly PipelineStep[]): Pipeline {
  const encoding = checkedOrder(steps);
  const changing = steps.filter((step): step is NumbersStep => step.gives === 'numbers');
  const bounds = (sections: readonly Section[], most: Bounds) =>
    steps.reduce((before, step) => step.bounds?.(before, sections) ?? before, most);
  return {
    steps,
    bounds,
    carry: (group, kept) => encoding.carry(group, kept),
    onParticipant(vectors, measures, most, at) {
      const changed = changing.reduce((now, step) => step.onParticipant(now, at), vectors);
      return encoding.onParticipant(changed, measures, bounds(at.sections, most), at);
    },
    onContribution: (payload, sections) => encoding.onContribution(payload, sections),
  };
}

function checkedOrder(steps: readonly PipelineStep[]): EncodingStep {
  let form: Form = 'numbers';
  for (const { name, takes, gives } of steps) {
    if (takes !== form) {
      const right = [...steps].sort((a, b) => rank(a) - rank(b)).map((step) => step.name);
      throw new CoppiceError(
        'plan-invalid',
        `The step "${name}" takes ${takes}, and ${form} come to it. In the order ${right.join(' → ')} the steps fit.`,
      );
    }
    form = gives;
  }
  const last = steps.at(-1);
  if (last?.gives === 'bytes') return last;
  throw new CoppiceError(
    'plan-invalid',
    'No step of the pipeline writes the contribution as bytes. Add "compress".',
  );
}

function rank({ gives }: PipelineStep): number {
  return gives === 'numbers' ? 0 : 1;
}
