import { FireSchema } from '@coppice/protocol';
import { Router } from 'express';
import type { Firings } from '../releases/firings.ts';
import type { Admins } from '../security/admins.ts';
import { adminOf, originOf } from './access.ts';
import { json, parameter, parseBody, wholeNumber } from './respond.ts';

/** Routes of the firings of a task's trigger. */
export function firingsRouter({ firings, admins }: { firings: Firings; admins: Admins }): Router {
  const router = Router();
  router.get(
    '/tasks/:task/firings',
    json((request) => {
      const { before, limit } = request.query;
      return firings.page(parameter(request, 'task'), {
        ...(before === undefined
          ? {}
          : { before: wholeNumber(before, 'before', 0, Number.MAX_SAFE_INTEGER) }),
        ...(limit === undefined ? {} : { limit: wholeNumber(limit, 'limit', 1, 50) }),
      });
    }),
  );
  router.post(
    '/tasks/:task/firings',
    json(async (request) => {
      const actor = adminOf(request);
      parseBody(FireSchema, request.body);
      const firing = await firings.fire(parameter(request, 'task'));
      await admins.record(actor, 'trigger-fired', originOf(request), {
        target: firing.task,
        detail: `${firing.sequence} ${firing.run ?? '-'}`,
      });
      return firing;
    }, 201),
  );
  return router;
}
