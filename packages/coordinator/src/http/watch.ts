import { Router } from 'express';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import { json, parameter } from './respond.ts';

/** The route of what devices report for a task. People read it before they agree. */
export function watchRouter({ monitored }: { monitored: Pick<MonitoredTasks, 'info'> }): Router {
  const router = Router();
  router.get(
    '/tasks/:task/watch',
    json((request) => monitored.info(parameter(request, 'task'))),
  );
  return router;
}
