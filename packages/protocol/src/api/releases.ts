import * as z from 'zod/mini';
import { CheckpointIdSchema } from '../lineage.ts';
import { ChannelSchema, EvidenceSchema, ReleaseReasonSchema, ReleaseSchema } from '../release.ts';

/** `sequence` of the channel's last move as the sender knows it; null: the channel was never moved. */
const expected = z.nullable(z.int().check(z.minimum(1)));

/** `POST /api/tasks/:task/releases`: one move of one channel. */
export const MoveChannelSchema = z.strictObject({
  channel: ChannelSchema,
  /** A committed checkpoint of the task; null empties the channel. */
  checkpoint: z.nullable(CheckpointIdSchema),
  expected,
  reason: ReleaseReasonSchema,
  evidence: z._default(z.nullable(EvidenceSchema), null),
});
export type MoveChannel = z.input<typeof MoveChannelSchema>;

/** `POST /api/tasks/:task/releases/undo`: production goes back to what it named before. */
export const UndoReleaseSchema = z.strictObject({ expected, reason: ReleaseReasonSchema });
export type UndoRelease = z.input<typeof UndoReleaseSchema>;

/** `GET /api/tasks/:task/releases`. */
export const ReleasesSchema = z.strictObject({
  /** The last move of each channel, now or at the time that was asked for; null: never moved. */
  channels: z.strictObject({
    candidate: z.nullable(ReleaseSchema),
    canary: z.nullable(ReleaseSchema),
    production: z.nullable(ReleaseSchema),
  }),
  /** The checkpoint that production names once its last release is taken back; null: there is none to take back. */
  undo: z.nullable(CheckpointIdSchema),
  /** A page of moves. */
  releases: z.array(ReleaseSchema),
});
export type Releases = z.infer<typeof ReleasesSchema>;
