import { CodecSchema, CoppiceError, HashSchema, PARTICIPANT_HEADER, TICKET_HEADER } from '@coppice/protocol';
import { type Request, type Response, Router } from 'express';
import type { Runs } from '../registry/runs.ts';
import type { Admissions } from '../security/admissions.ts';
import type { Downloads } from './downloads.ts';
import { ticketPreflight } from './preflight.ts';
import { json, parameter } from './respond.ts';
import { shownBy } from './shown-ticket.ts';

export interface ParcelsOptions {
  readonly runs: Runs;
  readonly admissions: Admissions;
  /** Origins whose pages may take part, beside the coordinator's own. */
  readonly origins: readonly string[];
  /** Counts a response as sent to a participant. */
  readonly countResponse: (participant: string, response: Response) => void;
  readonly downloads: Downloads;
}

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
  route.options(ticketPreflight(origins));
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
  const shown = shownBy(request);
  if (shown === null) return null;
  return { participant: shown.participant, holds: runs.holdsTicket(run, shown.participant, shown.ticket) };
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
