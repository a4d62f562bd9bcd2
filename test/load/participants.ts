import { type Joined, PROTOCOL_VERSION, type Reply } from '@coppice/protocol';
import { keysOf } from '../conformance/raw-identity.ts';
import { madeAnswerFrame } from '../made-answer.ts';
import { LeanParticipant, maskedFrame, WEIGHT } from './lean-participant.ts';
import type { FromParticipants, ToParticipants } from './messages.ts';

/* Many lean participants in one process. It does as it is told over IPC, and counts. */

const participants: LeanParticipant[] = [];
let asked: LeanParticipant[] = [];
let update: Buffer | null = null;
const counts = { joined: 0, asked: 0, acknowledged: 0, refused: 0, ended: 0, closed: 0 };

const tell = (message: FromParticipants) => process.send?.(message);
let told = false;
/** Sends counts once a turn of the event loop, not once a change. */
function counted(): void {
  if (told) return;
  told = true;
  setImmediate(() => {
    told = false;
    tell({ kind: 'counts', ...counts });
  });
}

function prepare(joined: Joined): Buffer {
  const step = (i: number) => 1e-4 * Math.sin(i);
  return maskedFrame(madeAnswerFrame(joined, { codec: 'float32', weight: WEIGHT, step }));
}

/** Connects `count` participants, at most `atOnce` of them at a time. */
function connect({
  url,
  run,
  name,
  count,
  atOnce,
  eager,
}: Extract<ToParticipants, { kind: 'connect' }>): void {
  let begun = 0;
  const next = () => {
    if (begun === count) return;
    const keys = keysOf(`${name} ${begun++}`);
    participants.push(
      new LeanParticipant(new URL(url), {
        keys,
        protocol: PROTOCOL_VERSION,
        run,
        listener: {
          joined(_participant, reply) {
            const [answer] = JSON.parse(reply) as [Reply<Joined>];
            if (!answer.ok) throw new Error(answer.error.message);
            update ??= prepare(answer.value);
            counts.joined++;
            counted();
            next();
          },
          asked(participant) {
            if (eager && update !== null) participant.deliver(update);
            else asked.push(participant);
            counts.asked++;
            counted();
          },
          acknowledged(_participant, reply) {
            const [answer] = JSON.parse(reply) as [Reply<unknown>];
            if (answer.ok) counts.acknowledged++;
            else counts.refused++;
            counted();
          },
          roundEnded() {
            counts.ended++;
            counted();
          },
          closed() {
            counts.closed++;
            counted();
          },
        },
      }),
    );
  };
  for (let i = 0; i < atOnce; i++) next();
}

process.on('message', (message: ToParticipants) => {
  if (message.kind === 'connect') connect(message);
  else if (message.kind === 'deliver') {
    const now = asked;
    asked = [];
    for (const participant of now) if (update !== null) participant.deliver(update);
  } else if (message.kind === 'usage') {
    const { user, system } = process.cpuUsage();
    tell({ kind: 'usage', cpu: (user + system) / 1000 });
  } else {
    for (const participant of participants) participant.close();
    process.disconnect?.();
  }
});
process.on('disconnect', () => process.exit(0));
