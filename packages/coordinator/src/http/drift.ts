import { identityOf } from '@coppice/continuity';
import { CoppiceError, type Json, type ReleaseReference, type WatchedPeriod } from '@coppice/protocol';
import { Router } from 'express';
import type { Tasks } from '../registry/tasks.ts';
import { PERIODS_A_PAGE, type PeriodStorage } from '../storage/period-storage.ts';
import type { ReferenceStorage } from '../storage/reference-storage.ts';
import { nextTurn } from '../turns.ts';
import { summaryOf } from '../watch/period-summary.ts';
import { flag } from './admission.ts';
import { json, parameter, wholeNumber } from './respond.ts';
import { sendList } from './send-list.ts';

/** The most summaries in a page: a year of daily periods. */
export const SUMMARIES_A_PAGE = 366;

/** The routes of a watched task's periods, with their sums and verdicts, and of the references that these are held against. */
export function driftRouter({
  tasks,
  storage,
}: {
  tasks: Pick<Tasks, 'get'>;
  storage: Pick<PeriodStorage, 'periods'> & Pick<ReferenceStorage, 'reference'>;
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
  router.get(
    '/tasks/:task/references/:release',
    json(async (request): Promise<ReleaseReference> => {
      const { id } = tasks.get(parameter(request, 'task'));
      const release = wholeNumber(parameter(request, 'release'), 'release', 1, Number.MAX_SAFE_INTEGER);
      const known = await storage.reference(id, release);
      if (known?.reference == null)
        throw new CoppiceError(
          'not-found',
          `There is no reference of release ${release} of "${id}": it is not made yet, or the task was not watched then.`,
        );
      const { task, checkpoint, hash, at, reference } = known;
      // With a thousand columns its hash takes tens of milliseconds, and so does what follows.
      const identity = identityOf(reference);
      await nextTurn();
      return {
        task,
        release,
        checkpoint,
        hash,
        at,
        reference: { identity, binning: reference as unknown as Json },
      };
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
