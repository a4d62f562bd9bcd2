import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { TaskIdSchema } from '../task.ts';

/* Periods of a watched task, as operators see them. */

const count = z.int().check(z.minimum(0));
const shares = z.readonly(z.array(z.number()));
const interval = z.readonly(z.tuple([z.number(), z.number()]));
const test = {
  /** The population stability index of the shift, less what chance alone adds; and what holds the true one with 95 %. */
  effect: z.number(),
  interval,
  p: z.number(),
  effective: z.nullable(z.number()),
  /** The effect above which there is an alarm. */
  bound: z.number(),
  alarm: z.boolean(),
  participants: count,
};
/** `tested` tests share the promise of one false alarm; `suppressed` ones had too few participants or values to tell anything from chance. */
const tested = { alarm: z.boolean(), tested: count, suppressed: count };

/** The verdict on a period's summed reports. Results come the worst first. */
export const DriftVerdictSchema = z.object({
  participants: count,
  observations: count,
  drift: z.object({
    ...tested,
    results: z.readonly(
      z.array(
        z.object({
          role: z.enum(['input', 'prediction', 'confidence']),
          name: z.string(),
          ...test,
          /** The p-value adjusted for all histograms of the period (Benjamini and Hochberg). */
          adjusted: z.number(),
          distance: z.nullable(z.number()),
          reference: shares,
          current: shares,
        }),
      ),
    ),
  }),
  /** An alarm here says that data are broken. */
  quality: z.object({
    ...tested,
    results: z.readonly(
      z.array(
        z.object({
          name: z.string(),
          fault: z.enum(['missing', 'outside', 'other']),
          ...test,
          reference: z.number(),
          current: z.number(),
        }),
      ),
    ),
  }),
  errors: z.nullable(z.object({ rate: z.number(), interval, participants: count, warned: z.number() })),
  /**
   * The errors of each group with enough participants, the worst first. Left out where the task declares no groups, and in
   * periods of earlier versions.
   */
  groups: z.optional(
    z.readonly(
      z.array(
        z.object({
          /** The index of the column's value; the number of values: any other value. */
          value: count,
          rate: z.number(),
          interval,
          participants: count,
        }),
      ),
    ),
  ),
});
export type DriftVerdict = z.infer<typeof DriftVerdictSchema>;

/** A period of a watched task that is over. Reports of single participants are not in it. */
export const WatchedPeriodSchema = z.object({
  task: TaskIdSchema,
  /** Grows; the periods in which the coordinator was down are missing. */
  period: count,
  /** The hash of the reference that its reports were made with. */
  reference: HashSchema,
  /** The number of the release that the reference was made with; null in periods of earlier versions. */
  release: z._default(z.nullable(z.int().check(z.minimum(1))), null),
  /** The variance of the noise that was added to each number of `sums`; 0: none was. */
  noise: z._default(z.number().check(z.minimum(0)), 0),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  endedAt: z.number(),
  /** The number of reports that counted. */
  reports: count,
  /** Their sum by tensor of the report's layout; null where there were too few to be looked at, or the budget had no room. */
  sums: z.nullable(z.record(z.string(), shares)),
  /** The verdict on the sums; null without any. */
  verdict: z.nullable(DriftVerdictSchema),
});
export type WatchedPeriod = z.infer<typeof WatchedPeriodSchema>;

/** A test of a period, without its distributions. */
const headline = { name: z.string(), effect: z.number(), interval, bound: z.number() };

/** A period of a watched task without its sums and distributions, for charts over many periods. */
export const PeriodSummarySchema = z.object({
  ...z.pick(WatchedPeriodSchema, {
    period: true,
    reference: true,
    release: true,
    startedAt: true,
    endedAt: true,
    reports: true,
  }).shape,
  /** Null where there were too few reports to be looked at, or the budget had no room. */
  verdict: z.nullable(
    z.object({
      participants: count,
      observations: count,
      drift: z.object({
        ...tested,
        /** The number of tests with an alarm, and the test with the largest effect; null: nothing was tested. */
        alarms: count,
        worst: z.nullable(z.object({ role: z.enum(['input', 'prediction', 'confidence']), ...headline })),
      }),
      quality: z.object({
        ...tested,
        alarms: count,
        worst: z.nullable(z.object({ fault: z.enum(['missing', 'outside', 'other']), ...headline })),
      }),
      errors: DriftVerdictSchema.shape.errors,
    }),
  ),
});
export type PeriodSummary = z.infer<typeof PeriodSummarySchema>;
