import {
  CoppiceError,
  CreateRunSchema,
  CreateTaskSchema,
  type Info,
  LoginSchema,
  PROTOCOL_VERSION,
  RunActionSchema,
  type TaskInfo,
} from '@coppice/protocol';
import { Router } from 'express';
import type { Evaluator } from '../evaluation/evaluator.ts';
import { type Runs, summaryOf } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import { type AdminSessions, SESSION_COOKIE } from '../security/admin-sessions.ts';
import type { Storage } from '../storage/storage.ts';
import { adminOnly, isAdmin } from './admin-only.ts';
import { openApiDocument } from './openapi.ts';
import { json, parameter, parseBody } from './respond.ts';

export interface ApiOptions {
  readonly runs: Runs;
  readonly tasks: Tasks;
  readonly storage: Storage;
  readonly evaluator: Evaluator;
  readonly sessions: AdminSessions;
  readonly operator: string;
  readonly version: string;
}

/** `/api`: JSON, described by `/api/openapi.json`. */
export function apiRouter({
  runs,
  tasks,
  storage,
  evaluator,
  sessions,
  operator,
  version,
}: ApiOptions): Router {
  const router = Router();
  const admin = adminOnly(sessions);
  const info: Info = { name: 'Coppice', version, protocol: PROTOCOL_VERSION, operator };

  router.get(
    '/info',
    json(() => info),
  );
  router.get(
    '/openapi.json',
    json(() => openApiDocument(version)),
  );

  router.get(
    '/session',
    json((request) => ({ admin: isAdmin(sessions, request) })),
  );
  router.post(
    '/session',
    json((request, response) => {
      const token = sessions.login(parseBody(LoginSchema, request.body).key);
      if (token === null) {
        throw new CoppiceError(
          'unauthorized',
          'That is not the admin key. It was printed when the coordinator started.',
        );
      }
      response.cookie(SESSION_COOKIE, token, {
        httpOnly: true,
        sameSite: 'strict',
        secure: request.secure,
        path: '/',
      });
      return { admin: true };
    }),
  );
  router.delete(
    '/session',
    json((request, response) => {
      sessions.logout(request.headers.cookie);
      response.clearCookie(SESSION_COOKIE, { path: '/' });
      return { admin: false };
    }),
  );

  router.get(
    '/tasks',
    json((): Promise<TaskInfo[]> => Promise.all(tasks.all().map((task) => tasks.info(task)))),
  );
  router.get(
    '/tasks/:task',
    json((request) => tasks.get(parameter(request, 'task'))),
  );
  router.post(
    '/tasks',
    admin,
    json(
      async (request) =>
        tasks.info(await tasks.create(parseBody(CreateTaskSchema, request.body, 'task-invalid'))),
      201,
    ),
  );
  router.get(
    '/tasks/:task/samples',
    json(async (request, response) => {
      const task = tasks.get(parameter(request, 'task'));
      if (!task.samples)
        throw new CoppiceError('not-found', `The coordinator has no sample data for the task "${task.id}".`);
      const of = wholeNumber(request.query.of, 'of', 1, 10_000);
      const share = wholeNumber(request.query.share, 'share', 0, of - 1);
      const bytes = await evaluator.samples(task.id, share, of);
      response
        .type('application/octet-stream')
        .set('Cache-Control', 'no-store')
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }),
  );

  router.get(
    '/runs',
    json((request) => (isAdmin(sessions, request) ? runs.all() : runs.all().map(summaryOf))),
  );
  router.post(
    '/runs',
    admin,
    json((request) => {
      const { task, plan, start } = parseBody(CreateRunSchema, request.body, 'plan-invalid');
      return runs.create(task, definedOnly(plan), start);
    }, 201),
  );
  router.get(
    '/runs/:run',
    admin,
    json((request) => runs.get(parameter(request, 'run'))),
  );
  // Public: what a run does with an update is what people read before they agree.
  router.get(
    '/runs/:run/plan',
    json((request) => runs.get(parameter(request, 'run')).plan),
  );
  router.get(
    '/runs/:run/rounds',
    admin,
    json((request) => storage.rounds(runs.get(parameter(request, 'run')).id)),
  );
  router.get(
    '/runs/:run/checkpoints',
    admin,
    json((request) => storage.checkpoints(runs.get(parameter(request, 'run')).id)),
  );
  router.get(
    '/runs/:run/participants',
    admin,
    json((request) => {
      const { id } = runs.get(parameter(request, 'run'));
      return [...runs.engines()].find((engine) => engine.id === id)?.participants() ?? [];
    }),
  );
  router.post(
    '/runs/:run/:action',
    admin,
    json((request) => {
      const action = RunActionSchema.safeParse(parameter(request, 'action'));
      if (!action.success)
        throw new CoppiceError('not-found', `There is no action "${parameter(request, 'action')}" on a run.`);
      return runs.act(parameter(request, 'run'), action.data);
    }),
  );

  router.get(
    '/events',
    admin,
    json((request) => {
      const { run, after } = request.query;
      return storage.events({
        ...(typeof run === 'string' ? { run } : {}),
        ...(after === undefined ? {} : { after: wholeNumber(after, 'after', 0, Number.MAX_SAFE_INTEGER) }),
      });
    }),
  );

  router.use(() => {
    throw new CoppiceError(
      'not-found',
      'There is nothing at this address. /api/openapi.json lists what there is.',
    );
  });
  return router;
}

function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new CoppiceError(
      'body-invalid',
      `The query parameter "${name}" takes a whole number from ${min} to ${max}.`,
    );
  }
  return number;
}

/** An optional field that is there but undefined counts as left out. */
function definedOnly<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
