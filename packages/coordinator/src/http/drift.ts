import type { PeriodSummary, WatchedPeriod } from '@coppice/protocol';
import { Router } from 'express';
import type { Tasks } from '../registry/tasks.ts';
import { PERIODS_A_PAGE, type PeriodStorage } from '../storage/period-storage.ts';
import { nextTurn } from '../turns.ts';
import { summaryOf } from '../watch/period-summary.ts';
import { flag } from './admission.ts';
import { json, parameter, wholeNumber } from './respond.ts';

/** The most summaries in a page: a year of daily periods. */
export const SUMMARIES_A_PAGE = 366;

/** Periods that are read in one turn of the event loop: with 100 columns, one is about 100 kB of JSON. */
const A_TURN = 5;

/** The route of a watched task's periods, with their sums and verdicts. */
export function driftRouter({
  tasks,
  storage,
}: {
  tasks: Pick<Tasks, 'get'>;
  storage: Pick<PeriodStorage, 'periods'>;
}): Router {
  const router = Router();
  router.get(
    '/tasks/:task/drift',
    json((request): Promise<PeriodSummary[] | WatchedPeriod[]> => {
      const { id } = tasks.get(parameter(request, 'task'));
      const { before, limit } = request.query;
      const isSummary = flag(request, 'summary');
      const most = isSummary ? SUMMARIES_A_PAGE : PERIODS_A_PAGE;
      const page = {
        ...(before === undefined
          ? {}
          : { before: wholeNumber(before, 'before', 0, Number.MAX_SAFE_INTEGER) }),
        limit: limit === undefined ? most : wholeNumber(limit, 'limit', 1, most),
      };
      return isSummary ? summariesOf(storage, id, page) : storage.periods(id, page);
    }),
  );
  return router;
}

/** Summaries of a task's periods, newest first, read a few a turn. */
async function summariesOf(
  storage: Pick<PeriodStorage, 'periods'>,
  task: string,
  page: { before?: number; limit: number },
): Promise<PeriodSummary[]> {
  const summaries: PeriodSummary[] = [];
  while (summaries.length < page.limit) {
    const limit = Math.min(A_TURN, page.limit - summaries.length);
    const before = summaries.at(-1)?.period ?? page.before;
    const periods = await storage.periods(task, { ...(before === undefined ? {} : { before }), limit });
    summaries.push(...periods.map(summaryOf));
    if (periods.length < limit) break;
    await nextTurn();
  }
  return summaries;
}
