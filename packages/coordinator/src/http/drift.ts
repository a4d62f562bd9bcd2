import type { WatchedPeriod } from '@coppice/protocol';
import { Router } from 'express';
import type { Tasks } from '../registry/tasks.ts';
import { PERIODS_A_PAGE, type PeriodStorage } from '../storage/period-storage.ts';
import { summaryOf } from '../watch/period-summary.ts';
import { flag } from './admission.ts';
import { json, parameter, wholeNumber } from './respond.ts';
import { sendList } from './send-list.ts';

/** The most summaries in a page: a year of daily periods. */
export const SUMMARIES_A_PAGE = 366;

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
    json(async (request, response) => {
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
      const periods = periodsOf(storage, id, page);
      await sendList(response, periods, isSummary ? summaryOf : (period) => period);
    }),
  );
  return router;
}

/** A task's periods, newest first, read one by one: with a thousand columns, one is more than a megabyte of JSON. */
async function* periodsOf(
  storage: Pick<PeriodStorage, 'periods'>,
  task: string,
  { before, limit }: { before?: number; limit: number },
): AsyncGenerator<WatchedPeriod> {
  let last = before;
  for (let left = limit; left > 0; left--) {
    const [period] = await storage.periods(task, {
      ...(last === undefined ? {} : { before: last }),
      limit: 1,
    });
    if (period === undefined) return;
    yield period;
    last = period.period;
  }
}
