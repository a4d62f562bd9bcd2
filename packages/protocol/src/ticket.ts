import * as z from 'zod/mini';

/** The HTTP header in which a participant shows its ticket. */
export const TICKET_HEADER = 'Coppice-Ticket';

/** The HTTP header with the public id of the participant that a ticket was given to. */
export const PARTICIPANT_HEADER = 'Coppice-Participant';

/**
 * What a participant holds while it is asked: opaque to it, and echoed with everything that it says of the question.
 * The coordinator binds it to the participant, the exchange and its attempt, or to the model that was pulled. It goes in messages and headers, never in a
 * URL.
 */
export const TicketSchema = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,200}$/));
