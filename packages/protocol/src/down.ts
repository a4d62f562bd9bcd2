import { ChallengeSchema } from './down/challenge.ts';
import { EvaluateSchema } from './down/evaluate.ts';
import { NoticeSchema } from './down/notice.ts';
import { PeersSchema } from './down/peers.ts';
import { RoundEndSchema } from './down/round-end.ts';
import { RoundStartSchema } from './down/round-start.ts';
import { RunChangedSchema } from './down/runs.ts';
import { WelcomeSchema } from './down/welcome.ts';

/** All that may travel from the coordinator to a participant, by Socket.IO event name. */
export const downMessages = {
  challenge: ChallengeSchema,
  welcome: WelcomeSchema,
  run: RunChangedSchema,
  'round-start': RoundStartSchema,
  'round-end': RoundEndSchema,
  evaluate: EvaluateSchema,
  peers: PeersSchema,
  notice: NoticeSchema,
} as const;
