import { CoppiceError, PARTICIPANT_HEADER, TICKET_HEADER } from '@coppice/protocol';
import type { RequestHandler } from 'express';
import { originAllowed } from '../security/origins.ts';

/** How long a browser may keep what a preflight request was answered, in seconds; Chromium keeps it no longer. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Answers the preflight requests of pages that show a ticket: those whose origin may take part.
 *
 * @param origins whose pages may take part, beside the coordinator's own.
 */
export function ticketPreflight(origins: readonly string[]): RequestHandler {
  return (request, response) => {
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
  };
}
