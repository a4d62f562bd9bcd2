import type { Operation } from '../case.ts';
import { averages } from './averages.ts';
import { clipping } from './clipping.ts';
import { codecs } from './codecs.ts';
import { localTrainings } from './local-training.ts';
import { measures } from './measures.ts';
import { serverOptimizers } from './server-optimizers.ts';

/**
 * The product's answer to every operation of the files: a function that calls what production calls, or the reason why
 * there is none. An operation that is not here is not computed by the product either.
 */
export const operations: { readonly [name: string]: Operation | string } = {
  ...averages,
  ...serverOptimizers,
  ...localTrainings,
  ...clipping,
  ...measures,
  ...codecs,
};
