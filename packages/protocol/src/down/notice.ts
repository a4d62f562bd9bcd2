import { WireErrorSchema } from '../run.ts';

/** Something the participant must know that answers none of its messages, e.g. `session-replaced`. */
export const NoticeSchema = WireErrorSchema;
