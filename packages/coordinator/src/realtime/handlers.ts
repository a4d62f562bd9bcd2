import {
  frameBytes,
  isHeaderAlone,
  MAX_LISTED_RUNS,
  type Up,
  type UpName,
  type UpValue,
} from '@coppice/protocol';
import type { Runs } from '../registry/runs.ts';
import type { Admissions } from '../security/admissions.ts';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import type { AdmittedRuns } from './admitted-runs.ts';
import type { Intake } from './intake.ts';
import { joinHandler } from './join.ts';
import { letGo } from './let-go.ts';
import { type MonitorHandlerOptions, monitorHandler } from './monitor.ts';
import type { Presences } from './presences.ts';
import type { Sender } from './sender.ts';
import type { Watches } from './watches.ts';

/** Messages of participants with a proved key. */
export type HandledName = Exclude<UpName, 'prove'>;

/** Returns the value of a message's answer. @throws CoppiceError the error of its answer. */
export type Handler<N extends HandledName> = (
  message: Up<N>,
  sender: Sender,
) => UpValue<N> | Promise<UpValue<N>>;

export type Handlers = { readonly [N in HandledName]: Handler<N> };

export interface HandlersOptions extends MonitorHandlerOptions {
  readonly runs: Runs;
  readonly monitored: Pick<MonitoredTasks, 'offers' | 'isWatched' | 'answers'>;
  readonly admitted: AdmittedRuns;
  readonly admissions: Pick<Admissions, 'come' | 'refusal'>;
  readonly presences: Pick<Presences, 'socketOf' | 'joined'>;
  readonly watches: Watches;
  readonly intake: Pick<Intake, 'hold'>;
}

/** The handler of each message of participants. */
export function handlersOf(options: HandlersOptions): Handlers {
  const { runs, admitted, presences, watches, intake, monitored } = options;
  /**
   * Counts bytes of a message as held until it is answered, or until they are not needed any more.
   *
   * @param how.letsGo true where nothing else has a part of them once the message is answered.
   */
  const heldBytes = (bytes: Uint8Array | ArrayBuffer, { letsGo }: { letsGo: boolean }) => {
    const release = intake.hold(bytes.byteLength);
    let isHeld = true;
    const end = (letsGoNow: boolean) => {
      if (!isHeld) return;
      isHeld = false;
      release();
      if (letsGoNow) letGo(bytes);
    };
    return { done: () => end(letsGo), unread: () => end(true) };
  };
  return {
    join: joinHandler(options),
    monitor: monitorHandler(options),
    watch(message, { participant, socket }) {
      // An answer of a replaced connection comes too late to be of use; its watch must not outlive it.
      if (presences.socketOf(participant) === socket) watches.set(participant, message);
      const listed = message.arrivals ? runs.listed(MAX_LISTED_RUNS) : [];
      const known = new Set(listed.map(({ id }) => id));
      const named = [...new Set(message.runs)].filter((run) => !known.has(run) && runs.has(run));
      const told = [...listed, ...named.map((run) => runs.get(run))];
      return { runs: admitted.summaries(participant, told) };
    },
    leave({ run }, { participant }) {
      runs.engine(run).leave(participant);
      return null;
    },
    availability(message, { participant }) {
      admitted.engine(participant, message.run).availability(participant, message);
      return null;
    },
    pull({ run, ...wanted }, { participant }) {
      admitted.ensure(participant, run);
      return runs.model(run, participant, wanted);
    },
    async parcel({ run, ...wanted }, { participant, pieces }) {
      admitted.ensure(participant, run);
      await pieces.turn();
      return { bytes: await runs.parcelPiece(run, wanted) };
    },
    progress(message, { participant }) {
      admitted.engine(participant, message.run).progress(participant, message);
      return undefined;
    },
    decline(message, { participant }) {
      admitted.engine(participant, message.run).decline(participant, message);
      return null;
    },
    async answer(message, { participant }) {
      // A header alone is kept until the rest has come.
      const { done, unread } = heldBytes(message.frame, {
        letsGo: !isHeaderAlone(frameBytes(message.frame)),
      });
      try {
        if (message.run !== undefined)
          return await admitted.engine(participant, message.run).answer(participant, message, unread);
        return await monitored.answers.take(message.task ?? '', participant, message, unread);
      } finally {
        done();
      }
    },
    async 'answer-piece'(message, { participant }) {
      const { done, unread } = heldBytes(message.bytes, { letsGo: false });
      try {
        const engine = admitted.engine(participant, message.run);
        return { next: await engine.answerPiece(participant, message, unread) };
      } finally {
        done();
      }
    },
    async counted({ run, tickets }, { participant }) {
      return { counted: await admitted.engine(participant, run).counted(participant, tickets) };
    },
  };
}
