import { AvailabilityReplySchema, AvailabilitySchema } from './up/availability.ts';
import { DeclineReplySchema, DeclineSchema } from './up/decline.ts';
import { EvaluationReplySchema, EvaluationSchema } from './up/evaluation.ts';
import { JoinReplySchema, JoinSchema } from './up/join.ts';
import { LeaveReplySchema, LeaveSchema } from './up/leave.ts';
import { ModelPieceReplySchema, ModelPieceSchema } from './up/model-piece.ts';
import { ProgressSchema } from './up/progress.ts';
import { ProveReplySchema, ProveSchema } from './up/prove.ts';
import { PullReplySchema, PullSchema } from './up/pull.ts';
import { UpdateReplySchema, UpdateSchema } from './up/update.ts';
import { UpdatePieceReplySchema, UpdatePieceSchema } from './up/update-piece.ts';

/** All that may travel from a participant to the coordinator, by Socket.IO event name. */
export const upMessages = {
  prove: { schema: ProveSchema, reply: ProveReplySchema },
  join: { schema: JoinSchema, reply: JoinReplySchema },
  leave: { schema: LeaveSchema, reply: LeaveReplySchema },
  availability: { schema: AvailabilitySchema, reply: AvailabilityReplySchema },
  pull: { schema: PullSchema, reply: PullReplySchema },
  'model-piece': { schema: ModelPieceSchema, reply: ModelPieceReplySchema },
  progress: { schema: ProgressSchema, reply: null },
  decline: { schema: DeclineSchema, reply: DeclineReplySchema },
  update: { schema: UpdateSchema, reply: UpdateReplySchema },
  'update-piece': { schema: UpdatePieceSchema, reply: UpdatePieceReplySchema },
  evaluation: { schema: EvaluationSchema, reply: EvaluationReplySchema },
} as const;
