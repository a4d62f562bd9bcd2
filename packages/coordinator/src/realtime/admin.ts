import { type Clock, coalesce } from '@coppice/ports';
import type { AdminMessage, AdminName } from '@coppice/protocol';
import type { Namespace, Socket } from 'socket.io';
import { credentialsOf, isSameSite } from '../http/access.ts';
import type { EventLog } from '../monitoring/event-log.ts';
import { withData } from '../monitoring/old-events.ts';
import type { Runs } from '../registry/runs.ts';
import type { Actor } from '../security/actor.ts';
import type { Admins } from '../security/admins.ts';
import type { Storage } from '../storage/storage.ts';
import { nextTurn } from '../turns.ts';

/** Shortest interval between two pushes of a run's state, in milliseconds. */
const PUSH_INTERVAL = 250;
/** Milliseconds that each participant's row adds to the interval: large runs are pushed less often. */
const PUSH_INTERVAL_EACH = 0.5;
const SNAPSHOT_EVENTS = 500;
/** Rows in one message, written in a few milliseconds; the next ones follow in another turn of the event loop. */
export const ROWS_A_MESSAGE = 500;

/** The `/admin` namespace: live state for every admin session. */
export class AdminHub {
  readonly #namespace: Namespace;
  readonly #pushes = new Map<string, ReturnType<typeof coalesce>>();
  readonly #o: {
    runs: Runs;
    events: EventLog;
    storage: Storage;
    clock: Clock;
    admins: Admins;
    operator: string;
    client: () => string;
    proved: (connection: Socket['conn']) => void;
  };

  constructor(
    namespace: Namespace,
    options: {
      runs: Runs;
      events: EventLog;
      storage: Storage;
      clock: Clock;
      admins: Admins;
      operator: string;
      client: () => string;
      /** Called for every admitted connection. */
      proved: (connection: Socket['conn']) => void;
    },
  ) {
    this.#namespace = namespace;
    this.#o = options;
    namespace.use((socket, next) => {
      const { headers, auth } = socket.handshake;
      const { key } = auth as { key?: unknown };
      const shown =
        typeof key === 'string'
          ? { bearer: key }
          : credentialsOf(headers, 'encrypted' in socket.request.socket);
      const refuse = (code: string, message: string) =>
        next(Object.assign(new Error('refused'), { data: { code, message } }));
      options.admins.identify(shown).then((actor) => {
        if (actor === null || (shown.bearer === undefined && !isSameSite(headers)))
          refuse('unauthorized', 'Sign in first.');
        else if (!actor.scopes.includes('runs:read'))
          refuse('forbidden', 'This needs the scope "runs:read".');
        else {
          socket.data = actor;
          next();
        }
      }, next);
    });
    options.admins.onRevoked((revoked) => {
      for (const socket of namespace.sockets.values()) {
        const { admin, session, token } = socket.data as Actor;
        if (
          'admin' in revoked
            ? revoked.admin === admin
            : 'session' in revoked
              ? revoked.session === session?.id
              : revoked.token === token
        )
          socket.disconnect(true);
      }
    });
    namespace.on('connection', (socket) => {
      options.proved(socket.conn);
      // What storage cannot say now it may say to the next connection.
      this.#snapshot(socket).catch(() => socket.disconnect(true));
    });
    options.events.subscribe((event) => this.#emit('event', event));
    options.runs.subscribe({
      runChanged: (run) => this.#push(run),
      roundChanged: (round) => {
        // Ended rounds at once; an open one with the next push.
        if (round.outcome !== 'open') this.#emit('round', round);
      },
      participantsChanged: (run) => this.#push(run),
    });
  }

  close(): void {
    for (const push of this.#pushes.values()) push.cancel();
  }

  async #snapshot(socket: Socket): Promise<void> {
    const { runs, storage, clock, operator, client } = this.#o;
    const snapshot: AdminMessage<'snapshot'> = {
      now: clock.now(),
      operator,
      client: client(),
      runs: runs.all(),
      events: (await storage.events({ limit: SNAPSHOT_EVENTS })).map(withData),
    };
    socket.emit('snapshot', snapshot);
    for (const engine of runs.engines())
      await this.#rows(engine.id, (message) => {
        if (socket.connected) socket.emit('participants', message);
      });
  }

  /** Sends all rows of a run's participants, in parts. */
  async #rows(run: string, tell: (message: AdminMessage<'participants'>) => void): Promise<void> {
    const engine = this.#o.runs.find(run);
    if (engine === undefined) return;
    const ids = engine.everyone();
    for (let at = 0; at < ids.length; at += ROWS_A_MESSAGE) {
      if (at > 0) await nextTurn();
      tell({ run, rows: engine.participants(ids.slice(at, at + ROWS_A_MESSAGE)) });
    }
  }

  #push(run: string): void {
    let push = this.#pushes.get(run);
    if (push === undefined) {
      const interval = () => PUSH_INTERVAL + PUSH_INTERVAL_EACH * this.#size(run);
      push = coalesce(this.#o.clock, interval, () => {
        // Nobody is looking: nothing to build.
        if (this.#namespace.sockets.size === 0) return;
        const engine = this.#o.runs.find(run);
        this.#emit('run', this.#o.runs.get(run));
        if (engine === undefined) return;
        const open = engine.openRound();
        if (open !== null) this.#emit('round', open);
        void this.#rows(run, (message) => this.#emit('participants', message));
      });
      this.#pushes.set(run, push);
    }
    push.request();
  }

  #size(run: string): number {
    return this.#o.runs.get(run).participants;
  }

  #emit<N extends AdminName>(name: N, message: AdminMessage<N>): void {
    const now = this.#o.clock.now();
    for (const socket of this.#namespace.sockets.values())
      if (((socket.data as Actor).validUntil ?? Number.POSITIVE_INFINITY) <= now) socket.disconnect(true);
    this.#namespace.emit(name, message);
  }
}
