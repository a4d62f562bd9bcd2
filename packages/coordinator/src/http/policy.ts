import { PutPolicySchema } from '@coppice/protocol';
import { Router } from 'express';
import type { Admins } from '../security/admins.ts';
import type { Policies } from '../watch/policies.ts';
import { adminOf, originOf } from './access.ts';
import { json, parameter, parseBody } from './respond.ts';

/** Routes of the policy by which a task is kept good. */
export function policyRouter({ policies, admins }: { policies: Policies; admins: Admins }): Router {
  const router = Router();
  router.get(
    '/tasks/:task/policy',
    json((request) => policies.get(parameter(request, 'task'))),
  );
  router.put(
    '/tasks/:task/policy',
    json(async (request) => {
      const actor = adminOf(request);
      const asked = parseBody(PutPolicySchema, request.body);
      const by = { by: 'admin', name: actor.name } as const;
      const saved = await policies.save(parameter(request, 'task'), asked, by);
      await admins.record(actor, 'policy-saved', originOf(request), {
        target: saved.task,
        detail: `${saved.version}${saved.policy === null ? ' -' : ''}`,
      });
      return saved;
    }),
  );
  return router;
}
