import {
  CodecSchema,
  CoppiceError,
  HashSchema,
  PARTICIPANT_HEADER,
  ParticipantIdSchema,
  TICKET_HEADER,
  TicketSchema,
} from '@coppice/protocol';
import { type Request, type Response, Router } from 'express';
import type { Runs } from '../registry/runs.ts';
import type { Admissions } from '../security/admissions.ts';
import { originAllowed } from '../security/origins.ts';
import type { Downloads } from './downloads.ts';
import { json, parameter } from './respond.ts';

export interface ParcelsOptions {
  readonly runs: Runs;
  readonly admissions: Admissions;
  /** Origins whose pages may take part, beside the coordinator's own. */
  readonly origins: readonly string[];
  /** Counts a response as sent to a participant. */
  readonly countResponse: (participant: string, response: Response) => void;
  readonly downloads: Downloads;
}

/** How long a browser may keep what a preflight request was answered, in seconds; Chromium keeps it no longer. */
const PREFLIGHT_SECONDS = 7200;

/**
 * `/api/runs/<run>/parcels/<hash>`: the payload of a current parcel of a run, the same bytes as in the pieces of
 * `parcel` over the socket. For a run that is not open, the participant must be admitted and show a ticket.
 */
export function parcelsRouter({
  runs,
  admissions,
  origins,
  countResponse,
  downloads,
}: ParcelsOptions): Router {
  const router = Router();
  const route = router.route('/runs/:run/parcels/:hash');
  route.get(
    json(async (request, response) => {
      // Public where the run is open, and nothing that a browser sends by itself opens another.
      response.set({
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Range, ETag',
        'Cross-Origin-Resource-Policy': 'cross-origin',
      });
      const run = runs.get(parameter(request, 'run'));
      const open = admissions.of(run.id) === 'open';
      const holder = holderOf(request, run.id, runs);
      if (!open) ensureAdmitted(holder, run.id, admissions);
      const { hash, codec } = wanted(request);
      const { payload: bytes } = await runs.parcel(run.id, hash, codec);
      response.set('Cache-Control', open ? 'public, max-age=31536000, immutable' : 'private, no-store');
      if (holder?.holds === true) countResponse(holder.participant, response);
      await downloads.send(request, response, {
        etag: `"${hash}.${codec}"`,
        size: bytes.byteLength,
        load: () => bytes,
        isCurrent: () => runs.isCurrent(run.id, hash),
      });
    }),
  );
  route.options((request, response) => {
    const { origin } = request.headers;
    if (!originAllowed(request.headers, origins))
      throw new CoppiceError(
        'cross-site-request',
        'Pages of this origin may not take part here. Whoever runs the coordinator names it with --allow-origin.',
      );
    response.set({
      ...(origin === undefined ? {} : { 'Access-Control-Allow-Origin': origin }),
      'Access-Control-Allow-Methods': 'GET, HEAD',
      'Access-Control-Allow-Headers': `${PARTICIPANT_HEADER}, ${TICKET_HEADER}, Range, If-Range`,
      'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
      Vary: 'Origin',
    });
    response.status(204).end();
  });
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

/** A participant that a request names, and whether the ticket that it shows opens parcels of the run. */
interface Holder {
  readonly participant: string;
  readonly holds: boolean;
}

/** @returns `null` where no participant is named, or no ticket is shown. */
function holderOf(request: Request, run: string, runs: Runs): Holder | null {
  const participant = ParticipantIdSchema.safeParse(request.get(PARTICIPANT_HEADER));
  const ticket = TicketSchema.safeParse(request.get(TICKET_HEADER));
  if (!participant.success || !ticket.success) return null;
  return { participant: participant.data, holds: runs.holdsTicket(run, participant.data, ticket.data) };
}

/** @throws CoppiceError `run-not-admitted`, `participant-banned`, `ticket-invalid` */
function ensureAdmitted(holder: Holder | null, run: string, admissions: Admissions): void {
  if (holder === null)
    throw new CoppiceError(
      'run-not-admitted',
      `This parcel is of a run that is not open to everyone. Its participants send "${PARTICIPANT_HEADER}" and "${TICKET_HEADER}", or ask for it over their connection.`,
    );
  const refusal = admissions.refusal(holder.participant, run);
  if (refusal !== null) throw refusal;
  if (!holder.holds)
    throw new CoppiceError(
      'ticket-invalid',
      'The ticket is not of an open question of this run to this participant, nor of its pull of the current model. Take that of the last question, or pull.',
    );
}
