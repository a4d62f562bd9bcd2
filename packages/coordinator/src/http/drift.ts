import { Router } from 'express';
import type { Tasks } from '../registry/tasks.ts';
import type { PeriodStorage } from '../storage/period-storage.ts';
import { json, parameter, wholeNumber } from './respond.ts';

/** The route of a watched task's periods, with their sums and verdicts. */
export function driftRouter({
  tasks,
  storage,
}: {
  tasks: Pick<Tasks, 'get'>;
  storage: PeriodStorage;
}): Router {
  const router = Router();
  router.get(
    '/tasks/:task/drift',
    json((request) => {
      const { id } = tasks.get(parameter(request, 'task'));
      const { before } = request.query;
      const page =
        before === undefined ? {} : { before: wholeNumber(before, 'before', 0, Number.MAX_SAFE_INTEGER) };
      return storage.periods(id, page);
    }),
  );
  return router;
}
