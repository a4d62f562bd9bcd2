import type { Clock } from '@coppice/ports';
import { CoppiceError, MAX_LISTED_RUNS } from '@coppice/protocol';
import type { Logger } from 'pino';
import type { Namespace, Socket } from 'socket.io';
import type { Runs } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { ReleaseAnnouncer } from '../releases/release-announcer.ts';
import type { Admissions } from '../security/admissions.ts';
import type { Newcomers } from '../security/newcomers.ts';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import { AdmittedRuns } from './admitted-runs.ts';
import type { Claim } from './claim.ts';
import { Dispatcher } from './dispatcher.ts';
import { emit } from './emit.ts';
import { openEntrance } from './entrance.ts';
import { handlersOf } from './handlers.ts';
import { Intake } from './intake.ts';
import { Offences } from './offences.ts';
import { pace } from './pace.ts';
import type { Presences } from './presences.ts';
import { putOut } from './put-out.ts';
import { senderOf } from './sender.ts';
import { SummaryPushes } from './summary-pushes.ts';
import { Watches } from './watches.ts';

export interface ParticipantHubOptions {
  readonly runs: Runs;
  readonly tasks: Tasks;
  readonly monitored: MonitoredTasks;
  readonly announcer: Pick<ReleaseAnnouncer, 'welcome'>;
  readonly presences: Presences;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly operator: string;
  readonly publicUrl: string | null;
  readonly admissions: Admissions;
  readonly newcomers: Newcomers;
  readonly addressOf: (socket: Socket) => string;
  /** Hears of every answer: the message's name, and `ok` or an error code. */
  readonly answered: (message: string, result: string) => void;
  /** Hears of every connection that proved whose it is. */
  readonly proved: (connection: Socket['conn']) => void;
}

/** The `/participant` namespace: welcomes each proven connection, listens to it, and tells its runs when it breaks. */
export class ParticipantHub {
  readonly #o: ParticipantHubOptions;
  readonly #namespace: Namespace;
  readonly #admitted: AdmittedRuns;
  readonly #watches = new Watches();
  readonly #intake = new Intake();
  readonly #pushes: SummaryPushes;
  readonly #dispatcher: Dispatcher;

  /** Opens the entrance. */
  constructor(namespace: Namespace, options: ParticipantHubOptions) {
    this.#o = options;
    this.#namespace = namespace;
    const { runs, tasks, monitored, presences, admissions, clock, logger, answered } = options;
    this.#admitted = new AdmittedRuns(runs, admissions);
    const parts = { runs, presences, admissions, admitted: this.#admitted, watches: this.#watches };
    this.#pushes = new SummaryPushes({ ...parts, clock });
    // By participant, not by connection: connecting anew is no way out.
    const offences = new Offences(clock);
    const handlers = handlersOf({ ...parts, tasks, monitored, intake: this.#intake });
    this.#dispatcher = new Dispatcher(handlers, { offences, logger, answered });
    runs.subscribe({
      runChanged: (run) => this.#pushes.request(run),
      roundChanged: () => {},
      participantsChanged: (run) => this.#pushes.request(run),
    });
    admissions.subscribe(() => putOut(runs, admissions, presences));
    openEntrance(
      namespace,
      { ...options, offences, answered: (result) => answered('prove', result) },
      (socket, claim) => this.#entered(socket, claim),
    );
  }

  close(): void {
    const stopping = new CoppiceError(
      'coordinator-stopping',
      'The coordinator is going down. Participants come back by themselves when it is up again.',
    );
    this.#namespace.emit('notice', stopping.toWire());
    this.#pushes.close();
    this.#o.presences.close();
  }

  #entered(socket: Socket, { participant, protocol, features }: Claim): void {
    const { runs, presences, announcer, operator, clock } = this.#o;
    const releases = announcer.welcome(participant);
    const replaced = presences.connect(participant, socket);
    this.#o.proved(socket.conn);
    if (replaced !== null) sendAway(replaced);
    this.#watches.clear(participant);
    this.#o.monitored.offers.goes(participant);
    pace(socket.conn, this.#intake);
    // The socket is gone by the time 'disconnect' fires, its counters with it.
    socket.on('disconnecting', () => this.#disconnected(participant, socket));
    this.#dispatcher.listen(senderOf(participant, socket, features));
    emit(socket, 'welcome', {
      protocol,
      participant,
      operator,
      now: clock.now(),
      runs: this.#admitted.summaries(participant, runs.listed(MAX_LISTED_RUNS)),
      ...(releases === undefined ? {} : { releases }),
    });
  }

  #disconnected(participant: string, socket: Socket): void {
    const { runs, presences } = this.#o;
    const joined = presences.disconnect(participant, socket);
    // A replaced connection ends after its successor began: the participant is not away.
    if (joined === null) return;
    this.#watches.clear(participant);
    this.#o.monitored.offers.goes(participant);
    for (const run of joined) runs.find(run)?.connectionLost(participant);
    presences.forget(participant);
  }
}

/** Ends a connection of which the participant has a newer one. */
function sendAway(socket: Socket): void {
  const replaced = new CoppiceError(
    'session-replaced',
    'The same participant connected from another tab or program, so this one was let go.',
  );
  emit(socket, 'notice', replaced.toWire());
  socket.disconnect(true);
}
