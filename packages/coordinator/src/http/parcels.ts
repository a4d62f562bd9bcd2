import {
  CodecSchema,
  CoppiceError,
  HashSchema,
  PARTICIPANT_HEADER,
  ParticipantIdSchema,
  TICKET_HEADER,
  TicketSchema,
} from '@coppice/protocol';
import { type Request, Router } from 'express';
import type { Runs } from '../registry/runs.ts';
import type { Admissions } from '../security/admissions.ts';
import { json, parameter } from './respond.ts';
import { sendBytes } from './send-bytes.ts';

/**
 * `/api/runs/<run>/parcels/<hash>`: the payload of a current parcel of a run, the same bytes as in the pieces of
 * `parcel` over the socket. For a run that is not open, the participant must be admitted and show a ticket.
 */
export function parcelsRouter({ runs, admissions }: { runs: Runs; admissions: Admissions }): Router {
  const router = Router();
  router.get(
    '/runs/:run/parcels/:hash',
    json(async (request, response) => {
      const run = runs.get(parameter(request, 'run'));
      // Public where the run is open, and nothing that a browser sends by itself opens another.
      response.set({
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Range, ETag',
        'Cross-Origin-Resource-Policy': 'cross-origin',
      });
      const open = admissions.of(run.id) === 'open';
      if (!open) ensureHoldsTicket(request, run.id, { runs, admissions });
      const { hash, codec } = wanted(request);
      const { payload: bytes } = await runs.parcel(run.id, hash, codec);
      response.set('Cache-Control', open ? 'public, max-age=31536000, immutable' : 'private, no-store');
      await sendBytes(request, response, { bytes, etag: `"${hash}.${codec}"` });
    }),
  );
  return router;
}

/** @throws CoppiceError `checkpoint-unknown` for an invalid hash, `body-invalid` for an unknown codec. */
function wanted(request: Request) {
  const hash = HashSchema.safeParse(parameter(request, 'hash'));
  if (!hash.success)
    throw new CoppiceError(
      'checkpoint-unknown',
      'A parcel is named by the 64 hexadecimal digits of its hash.',
    );
  const codec = CodecSchema.safeParse(request.query['codec'] ?? 'float32');
  if (!codec.success)
    throw new CoppiceError('body-invalid', 'The query parameter "codec" takes the name of a codec.');
  return { hash: hash.data, codec: codec.data };
}

/** @throws CoppiceError `run-not-admitted`, `participant-banned`, `ticket-invalid` */
function ensureHoldsTicket(
  request: Request,
  run: string,
  { runs, admissions }: { runs: Runs; admissions: Admissions },
): void {
  const participant = ParticipantIdSchema.safeParse(request.get(PARTICIPANT_HEADER));
  const ticket = TicketSchema.safeParse(request.get(TICKET_HEADER));
  if (!participant.success || !ticket.success)
    throw new CoppiceError(
      'run-not-admitted',
      `This parcel is of a run that is not open to everyone. Its participants send "${PARTICIPANT_HEADER}" and "${TICKET_HEADER}", or ask for it over their connection.`,
    );
  const refusal = admissions.refusal(participant.data, run);
  if (refusal !== null) throw refusal;
  if (!runs.holdsTicket(run, participant.data, ticket.data))
    throw new CoppiceError(
      'ticket-invalid',
      'The ticket is not of an open question of this run to this participant. Take that of the last question.',
    );
}
