import type { Socket as NetSocket } from 'node:net';
import { type Clock, coalesce } from '@coppice/ports';
import {
  CoppiceError,
  type Down,
  type DownName,
  MAX_TEXT,
  parseMessage,
  type Reply,
  type Up,
  type UpName,
  type UpValue,
  upMessages,
  type WireError,
} from '@coppice/protocol';
import type { Logger } from 'pino';
import type { Namespace, Socket } from 'socket.io';
import { type Runs, summaryOf } from '../registry/runs.ts';
import type { Audience, Bytes } from '../rounds/audience.ts';
import { isOver } from '../rounds/machine.ts';
import { challenge } from './challenge.ts';
import { type Claim, claimOf } from './claim.ts';
import { refusal } from './door.ts';
import { Offences } from './offences.ts';

/** How often run summaries and head counts are pushed at most. */
const PUSH_INTERVAL = 250;
/** The room of those who proved who they are; no participant's id is this. */
const PROVEN = 'proven';

interface Presence {
  socket: Socket | null;
  /** Bytes through earlier connections. */
  before: Bytes;
  /** Runs joined on the current connection. */
  readonly runs: Set<string>;
}

/** The `/participant` namespace: authenticates, checks every message, hands it to its run. */
export class ParticipantHub implements Audience {
  readonly #namespace: Namespace;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #presences = new Map<string, Presence>();
  readonly #pushes = new Map<string, ReturnType<typeof coalesce>>();
  readonly #operator: string;
  readonly #proof: { readonly clock: Clock; readonly publicUrl: string | null };
  readonly #answered: (message: string, result: string) => void;
  #runs: Runs | null = null;

  /** @param options.answered hears of every answer: the message's name, and `ok` or an error code. */
  constructor(
    namespace: Namespace,
    options: {
      logger: Logger;
      clock: Clock;
      operator: string;
      publicUrl: string | null;
      answered: (message: string, result: string) => void;
    },
  ) {
    this.#namespace = namespace;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#operator = options.operator;
    this.#proof = { clock: options.clock, publicUrl: options.publicUrl };
    this.#answered = options.answered;
  }

  /** Opens the door, once there are runs to join. */
  serve(runs: Runs): void {
    this.#runs = runs;
    runs.subscribe({
      runChanged: (run) => this.#push(run),
      roundChanged: () => {},
      participantsChanged: (run) => this.#push(run),
    });
    this.#namespace.use((socket, next) => {
      claimOf(socket.handshake.auth).then(
        (claim) => {
          socket.data.claim = claim;
          next();
        },
        (thrown: unknown) => next(refusal(CoppiceError.from(thrown))),
      );
    });
    this.#namespace.on('connection', (socket) => {
      const claim = socket.data.claim as Claim;
      const { clock, publicUrl } = this.#proof;
      const answered = (result: string) => this.#answered('prove', result);
      challenge(socket, claim, { clock, publicUrl, answered }, () => this.#connected(socket, claim, runs));
    });
  }

  send<N extends DownName>(participants: readonly string[], name: N, message: Down<N>): void {
    if (participants.length > 0) this.#namespace.to([...participants]).emit(name, message);
  }

  /** Open connections. */
  get connected(): number {
    return this.#namespace.sockets.size;
  }

  bytes(participant: string): Bytes {
    const presence = this.#presences.get(participant);
    if (presence === undefined) return { up: 0, down: 0 };
    const now = presence.socket === null ? { up: 0, down: 0 } : socketBytes(presence.socket);
    return { up: presence.before.up + now.up, down: presence.before.down + now.down };
  }

  close(): void {
    const stopping: WireError = {
      code: 'coordinator-stopping',
      message: 'The coordinator is going down. Participants come back by themselves when it is up again.',
    };
    this.#namespace.emit('notice', stopping);
    for (const push of this.#pushes.values()) push.cancel();
  }

  #connected(socket: Socket, { participant, protocol }: Claim, runs: Runs): void {
    const presence = this.#presences.get(participant) ?? {
      socket: null,
      before: { up: 0, down: 0 },
      runs: new Set<string>(),
    };
    this.#presences.set(participant, presence);
    if (presence.socket !== null) this.#replace(presence);
    presence.socket = socket;
    presence.runs.clear();
    void socket.join([participant, PROVEN]);
    // The socket is gone by the time 'disconnect' fires, its counters with it.
    socket.on('disconnecting', () => this.#disconnected(participant, presence, socket, runs));
    this.#listen(socket, participant, presence, runs);
    this.#emit(socket, 'welcome', {
      // Never newer than ours, or it would not have been let in: its version is the one spoken.
      protocol,
      participant,
      operator: this.#operator,
      now: this.#clock.now(),
      runs: runs.summaries(),
    });
  }

  #replace(presence: Presence): void {
    const old = presence.socket;
    if (old === null) return;
    presence.before = sum(presence.before, socketBytes(old));
    presence.socket = null;
    this.#emit(old, 'notice', {
      code: 'session-replaced',
      message: 'The same participant connected from another tab or program, so this one was let go.',
    });
    old.disconnect(true);
  }

  /** Ends a connection that goes on sending what cannot be used. */
  #dismiss(socket: Socket, participant: string, last: WireError): void {
    this.#logger.warn(
      { participant, code: last.code },
      'a connection was closed after too many refused messages',
    );
    this.#emit(socket, 'notice', {
      code: last.code,
      message: `The connection is closed after too many refused messages. The last: ${last.message}`,
    });
    socket.disconnect(true);
  }

  #disconnected(participant: string, presence: Presence, socket: Socket, runs: Runs): void {
    // A replaced connection ends after its successor began: the participant is not away.
    if (presence.socket !== socket) return;
    presence.before = sum(presence.before, socketBytes(socket));
    presence.socket = null;
    for (const run of presence.runs) engineOrNull(runs, run)?.connectionLost(participant);
  }

  #listen(socket: Socket, participant: string, presence: Presence, runs: Runs): void {
    const offences = new Offences(this.#clock);
    const on = <N extends UpName>(name: N, handle: (message: Up<N>) => UpValue<N> | Promise<UpValue<N>>) => {
      socket.on(name as string, (payload: unknown, acknowledge: unknown) => {
        void this.#answer(participant, name, payload, handle, runs).then((reply) => {
          this.#answered(name, reply.ok ? 'ok' : reply.error.code);
          if (typeof acknowledge === 'function') acknowledge(reply);
          // Who did not ask for an answer still hears that it is not understood.
          else if (!reply.ok && reply.error.code === 'message-invalid')
            this.#emit(socket, 'notice', reply.error);
          if (!reply.ok && socket.connected && offences.refused(reply.error.code))
            this.#dismiss(socket, participant, reply.error);
        });
      });
    };
    on('join', (message) => {
      const engine = runs.engine(message.run);
      const joined = engine.join(participant, message);
      presence.runs.add(message.run);
      // After the answer to "join", so that the participant knows the run when its round begins.
      setImmediate(() => engine.afterJoin(participant));
      return joined;
    });
    on('leave', (message) => {
      runs.engine(message.run).leave(participant);
      presence.runs.delete(message.run);
      return null;
    });
    on('availability', (message) => {
      runs.engine(message.run).availability(participant, message);
      return null;
    });
    on('pull', ({ run, has }) => runs.model(run, participant, has));
    on('progress', (message) => {
      runs.engine(message.run).progress(participant, message);
      return undefined;
    });
    on('decline', (message) => {
      runs.engine(message.run).decline(participant, message);
      return null;
    });
    on('update', async (message) => {
      await runs.engine(message.run).update(participant, message);
      return { duplicate: false };
    });
    on('evaluation', (message) => {
      runs.engine(message.run).evaluation(participant, message);
      return null;
    });
  }

  /** Every message is checked here, once; what is thrown becomes a named answer. */
  async #answer<N extends UpName>(
    participant: string,
    name: N,
    payload: unknown,
    handle: (message: Up<N>) => UpValue<N> | Promise<UpValue<N>>,
    runs: Runs,
  ): Promise<Reply<UpValue<N>>> {
    try {
      const message = parseMessage(name, upMessages[name].schema, payload) as Up<N>;
      return { ok: true, value: await handle(message) };
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      if (error.code === 'update-duplicate') return { ok: true, value: { duplicate: true } as UpValue<N> };
      const run = (payload as { run?: unknown } | null)?.run;
      const about = {
        participant,
        run: typeof run === 'string' ? run.slice(0, MAX_TEXT) : undefined,
        message: name,
      };
      if (error.code === 'internal')
        this.#logger.error({ ...about, err: thrown }, 'a message could not be handled');
      else this.#logger.debug({ ...about, code: error.code }, 'a message was refused');
      if (error.retry === 'with-current-model' && typeof run === 'string') {
        return { ok: false, error: error.toWire(), current: await runs.model(run, participant) };
      }
      return { ok: false, error: error.toWire() };
    }
  }

  /** Summaries to everyone, head counts to those who joined; a burst of changes becomes one push. */
  #push(run: string): void {
    let push = this.#pushes.get(run);
    if (push === undefined) {
      push = coalesce(this.#clock, PUSH_INTERVAL, () => {
        const runs = this.#runs;
        if (runs === null) return;
        const full = runs.get(run);
        const message: Down<'run'> = { run: summaryOf(full), now: this.#clock.now() };
        this.#namespace.to(PROVEN).emit('run', message);
        const engine = engineOrNull(runs, run);
        if (engine === null || isOver(full.status)) return;
        const rows = engine.participants();
        const here = rows.filter((row) => row.state !== 'left' && row.state !== 'away');
        this.send(
          here.map((row) => row.id),
          'peers',
          {
            run,
            joined: here.length,
            working: here.filter((row) => row.state === 'training').length,
            done: here.filter((row) => row.state === 'delivered').length,
          },
        );
      });
      this.#pushes.set(run, push);
    }
    push.request();
  }

  #emit<N extends DownName>(socket: Socket, name: N, message: Down<N>): void {
    socket.emit(name, message);
  }
}

/** Counted by the operating system's socket, framing and all. */
function socketBytes(socket: Socket): Bytes {
  const net = socket.conn.request.socket as NetSocket;
  return { up: net.bytesRead, down: net.bytesWritten };
}

function sum(a: Bytes, b: Bytes): Bytes {
  return { up: a.up + b.up, down: a.down + b.down };
}

function engineOrNull(runs: Runs, run: string) {
  try {
    return runs.engine(run);
  } catch {
    return null;
  }
}
