import * as z from 'zod/mini';
import { AdwinStateSchema } from '../detectors/adwin.ts';
import { PageHinkleyStateSchema } from '../detectors/page-hinkley.ts';
import { type Binning, groupsIn, watchedOf } from '../reference/binning.ts';

/** Predictions that may await their outcome; the oldest are dropped. */
export const MAX_PENDING = 4096;

/** The longest id of a prediction. */
export const MAX_ID = 64;

const count = z.int().check(z.minimum(0));

/** Warnings of a detector on this device. */
const WarningsSchema = z.object({
  count,
  /** The period of the last one; `null`: there was none yet. */
  last: z.nullable(z.int()),
});

/** The arm of this device in a canary, and the outcomes of its predictions with the arm's model. */
const GuardSchema = z.object({
  /** The number of the move that began the canary. */
  canary: z.int().check(z.minimum(1)),
  arm: z.enum(['canary', 'control']),
  /** The hash of the model that the arm predicts with. */
  model: z.string(),
  /** Outcomes since the canary began, and the sum of their errors, each in [0, 1]. */
  labelled: count,
  errors: z.number().check(z.minimum(0)),
});

/** Outcomes of one group in the period, and the sum of their errors. */
const GroupSchema = z.object({ labelled: count, errors: z.number().check(z.minimum(0)) });

const awaited = <T extends z.ZodMiniType>(one: T) => z.array(one).check(z.maxLength(MAX_PENDING));

/** What both versions of a state keep. */
const kept = {
  /** The hash of the reference (`identityOf`) whose bins were counted in. */
  identity: z.string(),
  /** The period that counts belong to; `null` before the first. */
  period: z.nullable(z.int()),
  observations: count,
  /** Counts of each histogram's bins, in the order of `watchedOf`. */
  counts: z.array(z.array(count)),
  /** Observations without this column's value, and values beyond its plausible range. */
  missing: z.array(count),
  outside: z.array(count),
  /** Outcomes that came in this period, and the sum of their errors, each in [0, 1]. */
  labelled: count,
  errors: z.number().check(z.minimum(0)),
  /** Outcomes in this period for predictions that are unknown or were dropped. */
  unmatched: count,
  /** True where a detector warned in this period. */
  warned: z.boolean(),
  warnings: z.object({ adwin: WarningsSchema, pageHinkley: WarningsSchema }),
  adwin: AdwinStateSchema,
  pageHinkley: PageHinkleyStateSchema,
};

/** Everything that a monitor keeps, as JSON. */
export const MonitorStateSchema = z.object({
  version: z.literal(2),
  ...kept,
  /** Observations of which only the input was counted: another model than the reference's predicted. */
  foreign: count,
  /** Null: this device has no arm of a canary. */
  guard: z.nullable(GuardSchema),
  /** Left out where the task declares no groups. */
  groups: z.optional(z.array(GroupSchema)),
  /**
   * Predictions that await their outcome, the oldest first; whether the guard counts it, and whether nothing else does; its group,
   * where the task declares groups.
   */
  pending: awaited(
    z.union([
      z.tuple([z.string(), z.number(), z.boolean(), z.boolean()]),
      z.tuple([z.string(), z.number(), z.boolean(), z.boolean(), count]),
    ]),
  ),
});
export type MonitorState = z.infer<typeof MonitorStateSchema>;

/** A state from before there were guards. */
const FirstStateSchema = z.object({
  version: z.literal(1),
  ...kept,
  pending: awaited(z.tuple([z.string(), z.number()])),
});

/**
 * Reads a stored state.
 *
 * @returns `null` where there is none, where it cannot be used, or where it was counted in other bins than those of this
 *   reference: counting begins anew then.
 */
export function readMonitorState(stored: unknown, binning: Binning, identity: string): MonitorState | null {
  const { success, data } = z.union([MonitorStateSchema, FirstStateSchema]).safeParse(stored);
  if (!success || data.identity !== identity) return null;
  const state = data.version === 2 ? data : upgraded(data);
  return isSound(state, binning) ? state : null;
}

function upgraded(state: z.infer<typeof FirstStateSchema>): MonitorState {
  const pending = state.pending.map(([id, prediction]): MonitorState['pending'][number] => [
    id,
    prediction,
    false,
    false,
  ]);
  return { ...state, version: 2, foreign: 0, guard: null, pending };
}

/** Checks that a state has the bins of a binning, and counts each observation once in each histogram. */
function isSound(state: MonitorState, binning: Binning): boolean {
  const { observations, foreign, counts, missing, outside, labelled, errors, guard, groups, pending } = state;
  const declared = groupsIn(binning)?.count ?? 0;
  const watched = watchedOf(binning);
  const inputs = binning.columns.length;
  return (
    counts.length === watched.length &&
    missing.length === inputs &&
    outside.length === inputs &&
    errors <= labelled &&
    (guard === null || guard.errors <= guard.labelled) &&
    foreign <= observations &&
    (groups?.length ?? 0) === declared &&
    (groups ?? []).every((group) => group.errors <= group.labelled) &&
    (declared === 0 || groups?.reduce((sum, group) => sum + group.labelled, 0) === labelled) &&
    pending.every(({ 4: group }) =>
      declared === 0 ? group === undefined : group !== undefined && group < declared,
    ) &&
    watched.every(({ bins, ofModel }, i) => {
      const histogram = counts[i] as number[];
      const values = histogram.reduce((sum, one) => sum + one, 0);
      return (
        histogram.length === bins &&
        values + (missing[i] ?? 0) === observations - (ofModel ? foreign : 0) &&
        (outside[i] ?? 0) <= values
      );
    })
  );
}
