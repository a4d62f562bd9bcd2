import { VerdictSchema } from '@coppice/continuity';
import { HashSchema, TaskIdSchema } from '@coppice/protocol';
import * as z from 'zod/mini';

const time = z.number();
const count = z.int().check(z.minimum(0));

/** A period of a monitored task that is over. Reports of single participants are not in it. */
export const PeriodRecordSchema = z.object({
  task: TaskIdSchema,
  /** Grows; the periods in which the coordinator was down are missing. */
  period: count,
  /** The hash of the reference that its reports were made with. */
  reference: HashSchema,
  /** Milliseconds since 1970. */
  startedAt: time,
  endedAt: time,
  /** The number of reports that counted. */
  reports: count,
  /** Their sum by tensor of the report's layout; null where there were too few to be looked at. */
  sums: z.nullable(z.record(z.string(), z.array(z.number()))),
  /** The verdict on the sums; null without any. */
  verdict: z.nullable(VerdictSchema),
});
export type PeriodRecord = z.infer<typeof PeriodRecordSchema>;

/** The most periods in a page, where no other limit is given. */
export const PERIODS_A_PAGE = 100;

/** The part of `Storage` for periods of monitored tasks. */
export interface PeriodStorage {
  /** Adds a period that is over. One that is stored already stays as it is. */
  addPeriod(period: PeriodRecord): Promise<void>;
  /** A task's periods, newest first. @param page.before left out, from the newest on; else those with a smaller number. */
  periods(task: string, page?: { before?: number; limit?: number }): Promise<PeriodRecord[]>;
}
