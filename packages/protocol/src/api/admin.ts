import * as z from 'zod/mini';
import { JsonSchema } from '../json.ts';
import { MAX_TEXT } from '../limits.ts';
import { ParticipantIdSchema, RoundSchema, RunIdSchema, RunSchema, WireErrorSchema } from '../run.ts';

/** A line of the event log. */
export const EventSchema = z.strictObject({
  /** Ascending; the order of events. */
  id: z.int(),
  at: z.number(),
  run: z.nullable(RunIdSchema),
  round: z.nullable(z.int()),
  level: z.enum(['info', 'warning', 'error']),
  /** Kind of event, e.g. `round-committed`. Stable, for filters. */
  kind: z.string().check(z.maxLength(60)),
  /** One sentence for a reader. */
  message: z.string().check(z.maxLength(2 * MAX_TEXT)),
  /**
   * Facts behind the message; null where there are none. Each kind has its own: `knownEvent` reads them. Any kind may
   * have `participant`, the subject of the event, and `count`, the number of events that the row stands for (left out:
   * 1).
   */
  data: z.nullable(z.record(z.string(), JsonSchema)),
});
export type Event = z.infer<typeof EventSchema>;

/** A participant's row on the admin page: no data, no address; counts in buckets. */
export const ParticipantRowSchema = z.strictObject({
  id: ParticipantIdSchema,
  run: RunIdSchema,
  device: z.enum(['browser', 'headless']),
  backend: z.string(),
  state: z.enum(['ready', 'training', 'delivered', 'paused', 'away', 'left']),
  /** The lower bound of the bucket (1, 10, 100, 1000 …) that the example count lies in; 0 for none. */
  examplesAtLeast: z.int(),
  /** Training speed in examples a second, as last measured. */
  speed: z.nullable(z.number()),
  /** Completed share of the current training, 0–1. */
  progress: z.nullable(z.number()),
  roundsDelivered: z.int(),
  roundsMissed: z.int(),
  bytesUp: z.number(),
  bytesDown: z.number(),
  lastSeenAt: z.number(),
  lastError: z.nullable(WireErrorSchema),
});
export type ParticipantRow = z.infer<typeof ParticipantRowSchema>;

/** Live messages of the `/admin` namespace, by event name. */
export const adminMessages = {
  /** On connection: the whole state, but for rounds, which are fetched by run, and participants' rows, which follow. */
  snapshot: z.strictObject({
    now: z.number(),
    operator: z.string(),
    client: z.string(),
    runs: z.array(RunSchema),
    events: z.array(EventSchema),
  }),
  run: RunSchema,
  round: RoundSchema,
  /**
   * Rows of one run's participants, which replace earlier rows. Large numbers are split over several messages. At most
   * four times a second.
   */
  participants: z.strictObject({ run: RunIdSchema, rows: z.array(ParticipantRowSchema) }),
  event: EventSchema,
} as const;
export type AdminName = keyof typeof adminMessages;
export type AdminMessage<N extends AdminName> = z.infer<(typeof adminMessages)[N]>;
