import type { Plan } from '@coppice/protocol';
import { MODEL_GROUP } from '../contributions/layout.ts';
import { clip } from './clip.ts';
import { compress } from './compress.ts';
import { type Pipeline, pipeline } from './pipeline.ts';

/** The steps that a plan asks for. Participant and coordinator both call this, so their lists agree. */
export function pipelineOf(plan: Pick<Plan, 'clipNorm' | 'uploadCodec'>): Pipeline {
  return pipeline([
    ...(plan.clipNorm === null ? [] : [clip(MODEL_GROUP, plan.clipNorm)]),
    compress(plan.uploadCodec),
  ]);
}
