import { AskSchema } from './down/ask.ts';
import { ChallengeSchema } from './down/challenge.ts';
import { NoticeSchema } from './down/notice.ts';
import { PeersSchema } from './down/peers.ts';
import { RoundEndSchema } from './down/round-end.ts';
import { RunEndSchema } from './down/run-end.ts';
import { RunChangedSchema } from './down/runs.ts';
import { WelcomeSchema } from './down/welcome.ts';

/** All that may travel from the coordinator to a participant, by Socket.IO event name. */
export const downMessages = {
  challenge: ChallengeSchema,
  welcome: WelcomeSchema,
  run: RunChangedSchema,
  ask: AskSchema,
  'round-end': RoundEndSchema,
  'run-end': RunEndSchema,
  peers: PeersSchema,
  notice: NoticeSchema,
} as const;
