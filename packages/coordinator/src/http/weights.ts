import { MAX_SAFETENSORS_HEADER } from '@coppice/model-files/safetensors';
import { CoppiceError, MAX_MODEL_BYTES } from '@coppice/protocol';
import { type Request, Router } from 'express';
import type { WeightsDesk } from '../registry/weights-desk.ts';
import type { Admins } from '../security/admins.ts';
import { adminOf, originOf } from './access.ts';
import { json } from './respond.ts';

/** The largest file of weights: those of the largest model as float32, and a header. */
const MAX_WEIGHTS_BYTES = MAX_MODEL_BYTES + MAX_SAFETENSORS_HEADER;

/** `POST /api/weights`: the weights of a task that is yet to be made, as a safetensors file. */
export function weightsRouter({ desk, admins }: { desk: WeightsDesk; admins: Admins }): Router {
  const router = Router();
  router.post(
    '/weights',
    json(async (request) => {
      const given = await desk.take(await bodyOf(request));
      await admins.record(adminOf(request), 'weights-sent', originOf(request), {
        target: given.hash.slice(0, 12),
        detail: `${given.parameters} parameters`,
      });
      return given;
    }, 201),
  );
  return router;
}

/**
 * Reads a body into memory that threads share, chunk by chunk: joined at the end, hundreds of megabytes would stop the event
 * loop.
 *
 * @throws CoppiceError `body-invalid` where its length is not told, is beyond the limit, or is not kept.
 */
async function bodyOf(request: Request): Promise<Uint8Array<SharedArrayBuffer>> {
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (!Number.isSafeInteger(length))
    throw new CoppiceError('body-invalid', 'The request has no Content-Length. Send it with one.');
  if (length > MAX_WEIGHTS_BYTES)
    throw new CoppiceError(
      'body-invalid',
      `The request body is too large: ${length} bytes, ${MAX_WEIGHTS_BYTES} at most.`,
    );
  if (request.headers['content-encoding'] !== undefined)
    throw new CoppiceError('body-invalid', 'Weights are sent as they are, without Content-Encoding.');
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  let at = 0;
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      bytes.set(chunk, at);
      at += chunk.byteLength;
    }
  } catch (cause) {
    throw new CoppiceError('body-invalid', 'The request ended in the middle.', { cause });
  }
  return bytes;
}
