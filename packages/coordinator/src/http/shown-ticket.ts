import { PARTICIPANT_HEADER, ParticipantIdSchema, TICKET_HEADER, TicketSchema } from '@coppice/protocol';
import type { Request } from 'express';
import type { ShownTicket } from '../watch/answers.ts';

/** The participant that a request names, and the ticket that it shows, both unchecked; `null` where no participant is named, or no ticket is shown. */
export function shownBy(request: Request): ShownTicket | null {
  const participant = ParticipantIdSchema.safeParse(request.get(PARTICIPANT_HEADER));
  const ticket = TicketSchema.safeParse(request.get(TICKET_HEADER));
  if (!participant.success || !ticket.success) return null;
  return { participant: participant.data, ticket: ticket.data };
}
