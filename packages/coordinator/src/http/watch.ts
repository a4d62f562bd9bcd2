import { createHash } from 'node:crypto';
import type { WatchInfo } from '@coppice/protocol';
import { Router } from 'express';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import type { Downloads } from './downloads.ts';
import { json, parameter } from './respond.ts';

/** The most tasks of which the encoded answer is kept. */
const KEPT = 100;

/** An answer that is encoded. */
interface Encoded {
  /** All of it but the bins, which the hash in it names. */
  readonly head: string;
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/**
 * The route of what devices report for a task. People read it before they agree, so that anybody may ask for it; with a thousand
 * columns it is a megabyte. It is encoded once for all that ask.
 */
export function watchRouter({
  monitored,
  downloads,
}: {
  monitored: Pick<MonitoredTasks, 'info'>;
  downloads: Pick<Downloads, 'send'>;
}): Router {
  const known = new Map<string, Encoded>();
  const encoded = (info: WatchInfo): Encoded => {
    const { reference, ...rest } = info;
    const head = JSON.stringify([rest, reference?.identity]);
    const before = known.get(info.task);
    if (before?.head === head) return before;
    const bytes = Buffer.from(JSON.stringify(info));
    const made = { head, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
    known.delete(info.task);
    known.set(info.task, made);
    const [oldest] = known.keys();
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
    return made;
  };
  const router = Router();
  router.get(
    '/tasks/:task/watch',
    json(async (request, response) => {
      const { bytes, etag } = encoded(await monitored.info(parameter(request, 'task')));
      response.set('Cache-Control', 'no-cache');
      await downloads.send(request, response, {
        etag,
        type: 'json',
        size: bytes.byteLength,
        load: () => bytes,
      });
    }),
  );
  return router;
}
