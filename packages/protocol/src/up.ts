import { AnswerReplySchema, AnswerSchema } from './up/answer.ts';
import { AnswerPieceReplySchema, AnswerPieceSchema } from './up/answer-piece.ts';
import { AvailabilityReplySchema, AvailabilitySchema } from './up/availability.ts';
import { CountedReplySchema, CountedSchema } from './up/counted.ts';
import { DeclineReplySchema, DeclineSchema } from './up/decline.ts';
import { JoinReplySchema, JoinSchema } from './up/join.ts';
import { LeaveReplySchema, LeaveSchema } from './up/leave.ts';
import { MonitorReplySchema, MonitorSchema } from './up/monitor.ts';
import { ParcelPieceReplySchema, ParcelPieceSchema } from './up/parcel.ts';
import { ProgressSchema } from './up/progress.ts';
import { ProveReplySchema, ProveSchema } from './up/prove.ts';
import { PullReplySchema, PullSchema } from './up/pull.ts';
import { WatchReplySchema, WatchSchema } from './up/watch.ts';

/** All messages from a participant to the coordinator, by Socket.IO event name. */
export const upMessages = {
  prove: { schema: ProveSchema, reply: ProveReplySchema },
  watch: { schema: WatchSchema, reply: WatchReplySchema },
  join: { schema: JoinSchema, reply: JoinReplySchema },
  leave: { schema: LeaveSchema, reply: LeaveReplySchema },
  availability: { schema: AvailabilitySchema, reply: AvailabilityReplySchema },
  pull: { schema: PullSchema, reply: PullReplySchema },
  parcel: { schema: ParcelPieceSchema, reply: ParcelPieceReplySchema },
  progress: { schema: ProgressSchema, reply: null },
  decline: { schema: DeclineSchema, reply: DeclineReplySchema },
  answer: { schema: AnswerSchema, reply: AnswerReplySchema },
  'answer-piece': { schema: AnswerPieceSchema, reply: AnswerPieceReplySchema },
  counted: { schema: CountedSchema, reply: CountedReplySchema },
  monitor: { schema: MonitorSchema, reply: MonitorReplySchema },
} as const;
