import type { Layout } from '@coppice/protocol';

/** What a step may look at beside the values. */
export interface StepContext {
  readonly layout: Layout;
  readonly round: number;
  readonly examples: number;
}

/**
 * One thing done to an update before it leaves the device, and its inverse on the server. Both sides
 * stand here together, so that they cannot drift apart. A step must not change its argument.
 */
export interface PipelineStep {
  readonly name: string;
  onParticipant(values: Float32Array, context: StepContext): Float32Array;
  /** Left out where the server has nothing to undo. */
  onServer?(values: Float32Array, context: StepContext): Float32Array;
}

/**
 * Steps in the order in which a participant takes them (clip → noise → compress → mask); the server
 * undoes them in reverse.
 */
export interface Pipeline {
  readonly steps: readonly PipelineStep[];
  /** Whether the server has anything to undo; where not, updates are summed as they came. */
  readonly undone: boolean;
  onParticipant(values: Float32Array, context: StepContext): Float32Array;
  onServer(values: Float32Array, context: StepContext): Float32Array;
}

export function pipeline(steps: readonly PipelineStep[]): Pipeline {
  return {
    steps,
    undone: steps.some(({ onServer }) => onServer !== undefined),
    onParticipant: (values, context) => steps.reduce((now, step) => step.onParticipant(now, context), values),
    onServer: (values, context) =>
      steps.reduceRight((now, step) => step.onServer?.(now, context) ?? now, values),
  };
}
