import { ChannelSchema, CoppiceError, MoveChannelSchema, UndoReleaseSchema } from '@coppice/protocol';
import { type Request, Router } from 'express';
import type { Releases } from '../releases/releases.ts';
import type { Admins } from '../security/admins.ts';
import type { ReleasePage } from '../storage/release-storage.ts';
import { adminOf, originOf } from './access.ts';
import { json, parameter, parseBody, wholeNumber } from './respond.ts';

/** Routes of a task's channels and their moves. */
export function releasesRouter({ releases, admins }: { releases: Releases; admins: Admins }): Router {
  const router = Router();
  router.get(
    '/tasks/:task/releases',
    json((request) => releases.history(parameter(request, 'task'), pageOf(request))),
  );
  router.post(
    '/tasks/:task/releases',
    json(async (request) => {
      const actor = adminOf(request);
      const { channel, ...asked } = parseBody(MoveChannelSchema, request.body);
      const by = { by: 'admin', name: actor.name } as const;
      const release = await releases.move(parameter(request, 'task'), channel, { ...asked, by });
      await admins.record(actor, 'release-moved', originOf(request), {
        target: release.task,
        detail: `${release.sequence} ${channel} ${release.checkpoint ?? '-'}`,
      });
      return release;
    }, 201),
  );
  router.post(
    '/tasks/:task/releases/undo',
    json(async (request) => {
      const actor = adminOf(request);
      const asked = parseBody(UndoReleaseSchema, request.body);
      const by = { by: 'admin', name: actor.name } as const;
      const release = await releases.undo(parameter(request, 'task'), { ...asked, by });
      await admins.record(actor, 'release-undone', originOf(request), {
        target: release.task,
        detail: `${release.sequence} ${release.channel} ${release.checkpoint ?? '-'}`,
      });
      return release;
    }, 201),
  );
  return router;
}

/** @throws CoppiceError `body-invalid` for a query that cannot be read. */
function pageOf({ query: { channel, after, before, at } }: Request): ReleasePage & { at?: number } {
  if (after !== undefined && before !== undefined)
    throw new CoppiceError(
      'body-invalid',
      'The query parameters "after" and "before" read the releases in opposite directions: give one of them.',
    );
  const number = (value: unknown, name: string) => wholeNumber(value, name, 0, Number.MAX_SAFE_INTEGER);
  return {
    ...(channel === undefined ? {} : { channel: channelOf(channel) }),
    ...(after === undefined ? {} : { after: number(after, 'after') }),
    ...(before === undefined ? {} : { before: number(before, 'before') }),
    ...(at === undefined ? {} : { at: number(at, 'at') }),
  };
}

function channelOf(text: unknown) {
  const channel = ChannelSchema.safeParse(text);
  if (channel.success) return channel.data;
  throw new CoppiceError(
    'body-invalid',
    `The query parameter "channel" takes ${ChannelSchema.options.join(', ')}.`,
  );
}
