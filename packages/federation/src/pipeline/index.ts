import type { Plan } from '@coppice/protocol';
import { clip } from './clip.ts';
import { type Pipeline, pipeline } from './pipeline.ts';

/** The steps that a plan asks for. Participant and coordinator both call this, so their lists agree. */
export function pipelineOf(plan: Plan): Pipeline {
  return pipeline(plan.clipNorm === null ? [] : [clip(plan.clipNorm)]);
}
