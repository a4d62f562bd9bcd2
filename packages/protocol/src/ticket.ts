import * as z from 'zod/mini';

/**
 * What a participant holds while it is asked: opaque to it, and echoed with everything that it says of the question.
 * The coordinator binds it to the participant, the exchange and its attempt. It goes in messages and headers, never in a
 * URL.
 */
export const TicketSchema = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,200}$/));
