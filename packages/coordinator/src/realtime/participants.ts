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
import { Intake, type Source } from './intake.ts';
import { letGo } from './let-go.ts';
import { Offences } from './offences.ts';
import { Outbox } from './outbox.ts';

/** How often run summaries and head counts are pushed at most, in milliseconds. */
const PUSH_INTERVAL = 250;
/** How much of that each of those who hear them adds: thousands hear less often, so that hearing stays cheap. */
const PUSH_INTERVAL_EACH = 0.5;

interface Presence {
  socket: Socket | null;
  /** Bytes through earlier connections. */
  before: Bytes;
  /** Runs joined on the current connection. */
  readonly runs: Set<string>;
  /** Runs joined on any: their rows tell of the bytes above. */
  readonly ever: Set<string>;
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
  readonly #outbox: Outbox;
  readonly #intake = new Intake();
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
    this.#outbox = new Outbox((sockets, name, message) => void namespace.to(sockets).emit(name, message));
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
        (thrown: unknown) =>
          next(Object.assign(new Error('refused'), { data: CoppiceError.from(thrown).toWire() })),
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
    const sockets: string[] = [];
    for (const id of participants) {
      const socket = this.#presences.get(id)?.socket;
      if (socket != null) sockets.push(socket.id);
    }
    this.#outbox.send(sockets, name, message);
  }

  /** Open connections. */
  get connected(): number {
    return this.#namespace.sockets.size;
  }

  /** Participants whose traffic is counted: connected, or in a run that goes on. */
  get remembered(): number {
    return this.#presences.size;
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
    // Whoever was not written to yet comes back to the next process, and is asked again.
    this.#outbox.clear();
  }

  #connected(socket: Socket, { participant, protocol }: Claim, runs: Runs): void {
    const presence = this.#presences.get(participant) ?? {
      socket: null,
      before: { up: 0, down: 0 },
      runs: new Set<string>(),
      ever: new Set<string>(),
    };
    this.#presences.set(participant, presence);
    if (presence.socket !== null) this.#replace(presence);
    presence.socket = socket;
    presence.runs.clear();
    this.#pace(socket);
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
    if (!countsSomewhere(presence, runs)) this.#presences.delete(participant);
  }

  /** Who is not connected and in no run that goes on is only remembered by storage. */
  #forgetStrangers(runs: Runs): void {
    for (const [participant, presence] of this.#presences)
      if (presence.socket === null && !countsSomewhere(presence, runs)) this.#presences.delete(participant);
  }

  /** Lets this connection take turns with the others while it sends something large. */
  #pace(socket: Socket): void {
    const { conn } = socket;
    // What comes by requests has its own end.
    if (conn.transport.name !== 'websocket') return;
    const ws = (conn.transport as unknown as { socket: Pick<Source, 'pause' | 'resume'> }).socket;
    const net = conn.request.socket as NetSocket;
    const source: Source = {
      pause: () => ws.pause(),
      resume: () => ws.resume(),
      waiting: () => net.readableLength,
      // Its pong is behind what it waits to send. Engine.IO has no public way to say so.
      excuse: () =>
        (conn as unknown as { pingTimeoutTimer: NodeJS.Timeout | null }).pingTimeoutTimer?.refresh(),
    };
    this.#intake.add(source);
    net.prependListener('data', (chunk: Buffer) => this.#intake.read(source, chunk.byteLength));
    conn.on('packet', () => this.#intake.complete(source));
    net.on('data', () => this.#intake.consider(source));
    conn.once('close', () => this.#intake.gone(source));
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
      presence.ever.add(message.run);
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
    on('pull', (message) => runs.model(message.run));
    on('progress', (message) => {
      runs.engine(message.run).progress(participant, message);
      return undefined;
    });
    on('decline', (message) => {
      runs.engine(message.run).decline(participant, message);
      return null;
    });
    on('update', async (message) => {
      const release = this.#intake.hold(message.frame.byteLength);
      try {
        await runs.engine(message.run).update(participant, message);
      } finally {
        release();
        letGo(message.frame);
      }
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
        return { ok: false, error: error.toWire(), current: await runs.model(run) };
      }
      return { ok: false, error: error.toWire() };
    }
  }

  /** Summaries to everyone, head counts to those who joined; a burst of changes becomes one push. */
  #push(run: string): void {
    let push = this.#pushes.get(run);
    if (push === undefined) {
      const interval = () => PUSH_INTERVAL + PUSH_INTERVAL_EACH * this.connected;
      push = coalesce(this.#clock, interval, () => {
        const runs = this.#runs;
        if (runs === null) return;
        const full = runs.get(run);
        const message: Down<'run'> = { run: summaryOf(full), now: this.#clock.now() };
        this.send([...this.#presences.keys()], 'run', message);
        const engine = engineOrNull(runs, run);
        if (isOver(full.status)) this.#forgetStrangers(runs);
        if (engine === null || isOver(full.status)) return;
        const { here, working, done } = engine.heads();
        this.send(here, 'peers', { run, joined: here.length, working, done });
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

/** Whether rows of a run that goes on tell of this participant. */
function countsSomewhere({ ever }: Presence, runs: Runs): boolean {
  for (const run of ever) {
    const engine = engineOrNull(runs, run);
    if (engine !== null && !isOver(engine.record.status)) return true;
  }
  return false;
}

function engineOrNull(runs: Runs, run: string) {
  try {
    return runs.engine(run);
  } catch {
    return null;
  }
}
