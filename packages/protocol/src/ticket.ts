import * as z from 'zod/mini';

/** The HTTP header that carries a participant's ticket. */
export const TICKET_HEADER = 'Coppice-Ticket';

/** The HTTP header with the public id of the ticket's participant. */
export const PARTICIPANT_HEADER = 'Coppice-Participant';

/**
 * The ticket of a question: opaque to the participant, which echoes it in every message about the question. The
 * coordinator binds it to the participant, the exchange and its attempt, or to the model that was pulled. It travels in messages and headers, never in a
 * URL.
 */
export const TicketSchema = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,200}$/));
