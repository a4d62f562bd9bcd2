import { type Binning, BinningSchema, consentVersion, identityOf } from '@coppice/continuity';
import {
  CoppiceError,
  firstIssue,
  groupsOf,
  HashSchema,
  parseSafely,
  recipeHash,
  type WatchInfo,
  WatchStateSchema,
} from '@coppice/protocol';
import * as z from 'zod/mini';
import type { WatchedTask } from './task-source.ts';

/** What a task's questions are about now. */
export const WatchTermsSchema = z.object({
  state: WatchStateSchema,
  /** The hash of the weights of the release that is watched; `null`: there is none. */
  release: z.nullable(HashSchema),
  /** The hash that answers name the binning or the reference by. */
  identity: HashSchema,
  binning: BinningSchema,
  /** The fewest observations of which anything leaves the device. */
  minimum: z.int().check(z.minimum(1)),
  /** The version of the consent to all this, as this program computes it. */
  consent: HashSchema,
});
export type WatchTerms = z.infer<typeof WatchTermsSchema>;

/**
 * Reads what a coordinator says of a task's watch. The consent's version is computed here: what a person agreed to is what is
 * reported, whatever the coordinator calls it.
 *
 * @returns `null` where there is nothing to count in.
 * @throws CoppiceError `message-invalid`; `report-mismatch` for bins of another data recipe than the task's.
 */
export function termsOf(
  { state, release, reference, periodMilliseconds, minimum }: WatchInfo,
  { data }: Pick<WatchedTask, 'data'>,
): WatchTerms | null {
  if (reference === null || periodMilliseconds === null || minimum === null) return null;
  const { identity } = reference;
  const parsed = parseSafely(BinningSchema, reference.binning);
  if (!parsed.success) throw unreadable(firstIssue(parsed.error));
  // Of all that was sent: a reference has more than its bins.
  if (identityOf(reference.binning as Binning) !== identity) throw unreadable('its hash is another');
  const binning = parsed.data;
  if (binning.recipe !== recipeHash(data))
    throw new CoppiceError(
      'report-mismatch',
      'The predictions are to be held against those of another data recipe than the one that this program has of the task. Nothing is counted. Load the page anew.',
    );
  if (binning.groups !== groupsOf(data)?.feature.name)
    throw new CoppiceError(
      'report-mismatch',
      'Errors are to be told by other groups than those that this program has of the task. Nothing is counted. Load the page anew.',
    );
  return {
    state,
    release: release?.hash ?? null,
    identity,
    binning,
    minimum: Math.max(1, minimum),
    consent: consentVersion({ binning, periodMilliseconds, minimum }),
  };
}

function unreadable(why: string): CoppiceError {
  return new CoppiceError(
    'message-invalid',
    `The reference that the predictions are to be held against cannot be read: ${why}. Nothing is counted.`,
  );
}
