import type { Operation } from '../case.ts';
import { averages } from './averages.ts';
import { clipping } from './clipping.ts';
import { codecs } from './codecs.ts';
import { detectors } from './detectors.ts';
import { localTrainings } from './local-training.ts';
import { measures } from './measures.ts';
import { partitions } from './partitions.ts';
import { privacy } from './privacy.ts';
import { releaseTests } from './release-tests.ts';
import { serverOptimizers } from './server-optimizers.ts';

/**
 * The function behind every operation of the files, which calls the production code, or the reason that there is none.
 * The product computes no operation that is missing here.
 */
export const operations: { readonly [name: string]: Operation | string } = {
  ...averages,
  ...serverOptimizers,
  ...localTrainings,
  ...clipping,
  ...measures,
  ...codecs,
  ...detectors,
  ...releaseTests,
  ...privacy,
  ...partitions,
};
