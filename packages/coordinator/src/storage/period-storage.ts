import type { WatchedPeriod } from '@coppice/protocol';
import type { Spending } from './reference-storage.ts';

/** The most periods in a page, where no other limit is given. */
export const PERIODS_A_PAGE = 100;

/** The part of `Storage` for periods of watched tasks. */
export interface PeriodStorage {
  /** Adds a period that is over, in one transaction with its cost. One that is stored already stays as it is. */
  addPeriod(period: WatchedPeriod, spending?: Spending | null): Promise<void>;
  /** A task's periods, newest first. @param page.before left out, from the newest on; else those with a smaller number. */
  periods(task: string, page?: { before?: number; limit?: number }): Promise<WatchedPeriod[]>;
}
