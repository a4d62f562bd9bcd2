import { AskSchema } from './down/ask.ts';
import { ChallengeSchema } from './down/challenge.ts';
import { NoticeSchema } from './down/notice.ts';
import { PeersSchema } from './down/peers.ts';
import { ReleaseNewsSchema } from './down/release.ts';
import { RoundEndSchema } from './down/round-end.ts';
import { RunEndSchema } from './down/run-end.ts';
import { RunChangedSchema } from './down/runs.ts';
import { ScalingAgreedSchema } from './down/scaling.ts';
import { WelcomeSchema } from './down/welcome.ts';
import { tolerant } from './tolerant.ts';

/**
 * All messages from the coordinator to a participant, by Socket.IO event name. A newer coordinator may add to them: see
 * `tolerant`.
 */
export const downMessages = {
  challenge: tolerant(ChallengeSchema),
  welcome: tolerant(WelcomeSchema),
  run: tolerant(RunChangedSchema),
  ask: tolerant(AskSchema),
  scaling: tolerant(ScalingAgreedSchema),
  'round-end': tolerant(RoundEndSchema),
  'run-end': tolerant(RunEndSchema),
  peers: tolerant(PeersSchema),
  release: tolerant(ReleaseNewsSchema),
  notice: tolerant(NoticeSchema),
} as const;
