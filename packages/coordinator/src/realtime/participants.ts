import type { Socket as NetSocket } from 'node:net';
import { type Clock, coalesce } from '@coppice/ports';
import {
  CoppiceError,
  type Down,
  type DownName,
  frameBytes,
  isHeaderAlone,
  MAX_LISTED_RUNS,
  MAX_TEXT,
  parseMessage,
  type Reply,
  type Run,
  type RunSummary,
  requiresOf,
  type Up,
  type UpName,
  type UpValue,
  upMessages,
  type WireError,
} from '@coppice/protocol';
import type { Logger } from 'pino';
import type { Namespace, Socket } from 'socket.io';
import { outward } from '../outward.ts';
import { type Runs, summaryOf } from '../registry/runs.ts';
import type { Audience, Bytes } from '../rounds/audience.ts';
import { isOver } from '../rounds/machine.ts';
import type { RunEngine } from '../rounds/run-engine.ts';
import type { Admissions } from '../security/admissions.ts';
import type { Newcomers } from '../security/newcomers.ts';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import { challenge } from './challenge.ts';
import { type Claim, claimOf } from './claim.ts';
import { refusal } from './door.ts';
import { Intake } from './intake.ts';
import { letGo } from './let-go.ts';
import { Offences } from './offences.ts';
import { Outbox } from './outbox.ts';
import { pace } from './pace.ts';
import { PieceQueue } from './piece-queue.ts';
import { Watches } from './watches.ts';

/** How often run summaries and head counts are pushed at most, in milliseconds. */
const PUSH_INTERVAL = 250;
/** How much of that each of those who hear them adds, and no more than so long: thousands hear less often, so that hearing stays cheap. */
const PUSH_INTERVAL_EACH = 2;
const LONGEST_PUSH_INTERVAL = 3000;

interface Presence {
  socket: Socket | null;
  /** Bytes through earlier connections. */
  before: Bytes;
  /**
   * Runs joined, on this connection or an earlier one: their rows tell of the bytes above, and they hear when the
   * connection breaks. An update counts on a new one before anything else does, and makes its sender present.
   */
  readonly runs: Set<string>;
}

/** Why somebody whose bucket is full is not heard, as an error. */
function tooMany(milliseconds: number, last: WireError | null): CoppiceError {
  const seconds = Math.ceil(milliseconds / 1000);
  return new CoppiceError(
    'too-many-offences',
    `Too many messages of this participant could not be used; it may connect again in ${seconds} s.${last === null ? '' : ` The last: ${last.message}`}`.slice(
      0,
      MAX_TEXT,
    ),
    { retryAfter: milliseconds },
  );
}

/** The `/participant` namespace: authenticates, checks every message, hands it to its run. */
export class ParticipantHub implements Audience {
  readonly #namespace: Namespace;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #presences = new Map<string, Presence>();
  /** How many there are when those who are known no more are looked for. */
  #nextLook = 100;
  readonly #pushes = new Map<string, ReturnType<typeof coalesce>>();
  readonly #watches = new Watches();
  /** The status and admission of each run that changed, as those who hear of arrivals were told. */
  readonly #standings = new Map<string, string>();
  /** By participant: connecting anew is no way out. */
  readonly #offences: Offences;
  /** Connections that said hello and were not refused. */
  readonly #greeted = new WeakSet<object>();
  readonly #operator: string;
  readonly #proof: { readonly clock: Clock; readonly publicUrl: string | null };
  readonly #admissions: Admissions;
  readonly #newcomers: Newcomers;
  readonly #addressOf: (socket: Socket) => string;
  readonly #answered: (message: string, result: string) => void;
  readonly #proved: (connection: Socket['conn']) => void;
  readonly #outbox: Outbox;
  readonly #intake = new Intake();
  #runs: Runs | null = null;

  /**
   * @param options.answered hears of every answer: the message's name, and `ok` or an error code.
   * @param options.proved hears of every connection that proved whose it is.
   */
  constructor(
    namespace: Namespace,
    options: {
      logger: Logger;
      clock: Clock;
      operator: string;
      publicUrl: string | null;
      admissions: Admissions;
      newcomers: Newcomers;
      addressOf: (socket: Socket) => string;
      answered: (message: string, result: string) => void;
      proved: (connection: Socket['conn']) => void;
    },
  ) {
    this.#namespace = namespace;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#offences = new Offences(options.clock);
    this.#operator = options.operator;
    this.#proof = { clock: options.clock, publicUrl: options.publicUrl };
    this.#admissions = options.admissions;
    this.#newcomers = options.newcomers;
    this.#addressOf = options.addressOf;
    this.#answered = options.answered;
    this.#proved = options.proved;
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
    this.#admissions.subscribe(() => this.#putOut(runs));
    this.#namespace.use((socket, next) => {
      const { conn } = socket;
      if (this.#greeted.has(conn)) {
        // A second hello would be challenged beside the first, and neither could tell whose proof is whose.
        conn.close();
        return;
      }
      this.#greeted.add(conn);
      claimOf(socket.handshake.auth)
        .then((claim) => {
          // Only who proved a key can fill its bucket.
          const wait = this.#offences.wait(claim.participant);
          if (wait > 0) throw tooMany(wait, null);
          socket.data.claim = claim;
          next();
        })
        .catch((thrown: unknown) => {
          this.#greeted.delete(conn);
          next(refusal(CoppiceError.from(thrown)));
        });
    });
    this.#namespace.on('connection', (socket) => {
      socket.once('disconnect', () => this.#greeted.delete(socket.conn));
      const claim = socket.data.claim as Claim;
      const { clock, publicUrl } = this.#proof;
      const answered = (result: string) => this.#answered('prove', result);
      const address = this.#addressOf(socket);
      const refusal = async (participant: string) =>
        this.#admissions.refusal(participant, null) ?? this.#newcomers.refusal(participant, address);
      challenge(socket, claim, { clock, publicUrl, refusal, answered }, () =>
        this.#connected(socket, claim, runs),
      );
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
    const stopping = new CoppiceError(
      'coordinator-stopping',
      'The coordinator is going down. Participants come back by themselves when it is up again.',
    );
    this.#namespace.emit('notice', stopping.toWire());
    for (const push of this.#pushes.values()) push.cancel();
    // Whoever was not written to yet comes back to the next process, and is asked again.
    this.#outbox.clear();
  }

  #connected(socket: Socket, { participant, protocol, features }: Claim, runs: Runs): void {
    const presence = this.#presences.get(participant) ?? {
      socket: null,
      before: { up: 0, down: 0 },
      runs: new Set<string>(),
    };
    this.#presences.set(participant, presence);
    this.#proved(socket.conn);
    if (presence.socket !== null) this.#replace(presence);
    this.#watches.clear(participant);
    presence.socket = socket;
    pace(socket.conn, this.#intake);
    // The socket is gone by the time 'disconnect' fires, its counters with it.
    socket.on('disconnecting', () => this.#disconnected(participant, presence, socket, runs));
    this.#listen(socket, { participant, features }, presence, runs);
    this.#emit(socket, 'welcome', {
      protocol,
      participant,
      operator: this.#operator,
      now: this.#clock.now(),
      runs: this.#seenBy(participant, runs.listed(MAX_LISTED_RUNS)),
    });
  }

  #seenBy(participant: string, runs: readonly Run[]): RunSummary[] {
    return runs.map((run) => summaryOf(run, this.#admits(participant, run.id)));
  }

  #replace(presence: Presence): void {
    const old = presence.socket;
    if (old === null) return;
    presence.before = sum(presence.before, socketBytes(old));
    presence.socket = null;
    const replaced = new CoppiceError(
      'session-replaced',
      'The same participant connected from another tab or program, so this one was let go.',
    );
    this.#emit(old, 'notice', replaced.toWire());
    old.disconnect(true);
  }

  /** Ends a connection that goes on sending what cannot be used. */
  #dismiss(socket: Socket, participant: string, last: WireError): void {
    this.#logger.warn(
      { participant, code: last.code },
      'a connection was closed after too many refused messages',
    );
    this.#emit(socket, 'notice', tooMany(this.#offences.wait(participant), last).toWire());
    socket.disconnect(true);
  }

  #admits(participant: string, run: string): boolean {
    return this.#admissions.refusal(participant, run) === null;
  }

  /** Ends the part of those whom their run does not admit any more, and the connections of those who are banned. */
  #putOut(runs: Runs): void {
    for (const engine of runs.engines()) {
      for (const participant of engine.members()) {
        const why = this.#admissions.refusal(participant, engine.id);
        if (why === null) continue;
        const presence = this.#presences.get(participant);
        engine.putOut(participant, why);
        // Who is banned from everything is told once, below.
        const banned = this.#admissions.refusal(participant, null) !== null;
        if (presence?.socket != null && !banned)
          this.#emit(presence.socket, 'notice', { ...why.toWire(), run: engine.id });
      }
    }
    for (const [participant, { socket }] of this.#presences) {
      const banned = socket === null ? null : this.#admissions.refusal(participant, null);
      if (socket === null || banned === null) continue;
      this.#emit(socket, 'notice', banned.toWire());
      socket.disconnect(true);
    }
  }

  #disconnected(participant: string, presence: Presence, socket: Socket, runs: Runs): void {
    // A replaced connection ends after its successor began: the participant is not away.
    if (presence.socket !== socket) return;
    presence.before = sum(presence.before, socketBytes(socket));
    presence.socket = null;
    this.#watches.clear(participant);
    for (const run of presence.runs) engineOrNull(runs, run)?.connectionLost(participant);
    if (!countsSomewhere(participant, presence, runs)) this.#presences.delete(participant);
    // Runs forget in their own time who was there for nothing; each look at all costs as much as there are.
    if (this.#presences.size > this.#nextLook) this.#forgetStrangers(runs);
  }

  /** Who is not connected and known to no run that goes on is only remembered by storage. */
  #forgetStrangers(runs: Runs): void {
    for (const [participant, presence] of this.#presences)
      if (presence.socket === null && !countsSomewhere(participant, presence, runs))
        this.#presences.delete(participant);
    this.#nextLook = 2 * this.#presences.size + 100;
  }

  #listen(
    socket: Socket,
    { participant, features }: Pick<Claim, 'participant' | 'features'>,
    presence: Presence,
    runs: Runs,
  ): void {
    const on = <N extends UpName>(name: N, handle: (message: Up<N>) => UpValue<N> | Promise<UpValue<N>>) => {
      socket.on(name as string, (payload: unknown, acknowledge: unknown) => {
        void this.#answer(participant, name, payload, handle).then((reply) => {
          this.#answered(name, reply.ok ? 'ok' : reply.error.code);
          if (typeof acknowledge === 'function') acknowledge(reply);
          // Who did not ask for an answer still hears that it is not understood.
          else if (!reply.ok && reply.error.code === 'message-invalid')
            this.#emit(socket, 'notice', reply.error);
          if (!reply.ok && socket.connected && this.#offences.refused(participant, reply.error.code))
            this.#dismiss(socket, participant, reply.error);
        });
      });
    };
    const join = (message: Up<'join'>) => {
      const engine = this.#engine(participant, message.run, runs);
      ensureSupported([...requiresOf(engine.record.plan), ...engine.requires], features);
      const joined = engine.join(participant, message);
      presence.runs.add(message.run);
      // After the answer to "join", so that the participant knows the run when its round begins.
      setImmediate(() => engine.afterJoin(participant));
      return joined;
    };
    const inTurn = oneAtATime();
    on('join', (message) => {
      const { run, invitation } = message;
      if (invitation === undefined || this.#admits(participant, run)) return join(message);
      const ensureHere = () => {
        if (presence.socket !== socket)
          throw new CoppiceError('connection-lost', 'The connection broke before the run was joined.');
      };
      // In turn: whoever guesses keeps no other than itself waiting.
      return inTurn(async () => {
        ensureHere();
        // Known and alive, or the use of the invitation would be spent for nothing.
        runs.engine(run);
        await this.#admissions.come(participant, run, invitation);
        // Gone while that was written down: it is let in when it comes again.
        ensureHere();
        return join(message);
      });
    });
    on('watch', (message) => {
      // An answer of a replaced connection comes too late to be of use; its watch must not outlive it.
      if (presence.socket === socket) this.#watches.set(participant, message);
      const listed = message.arrivals ? runs.listed(MAX_LISTED_RUNS) : [];
      const known = new Set(listed.map(({ id }) => id));
      const named = [...new Set(message.runs)].filter((run) => !known.has(run) && runs.has(run));
      return { runs: this.#seenBy(participant, [...listed, ...named.map((run) => runs.get(run))]) };
    });
    on('leave', (message) => {
      runs.engine(message.run).leave(participant);
      return null;
    });
    on('availability', (message) => {
      this.#engine(participant, message.run, runs).availability(participant, message);
      return null;
    });
    const ensureAdmitted = (run: string) => {
      // Known, or it would be said to admit nobody.
      runs.get(run);
      this.#ensureAdmitted(participant, run);
    };
    on('pull', ({ run, ...wanted }) => {
      ensureAdmitted(run);
      return runs.model(run, participant, wanted);
    });
    const pieces = new PieceQueue(socket.conn);
    on('parcel', async ({ run, ...wanted }) => {
      ensureAdmitted(run);
      await pieces.turn();
      return { bytes: await runs.parcelPiece(run, wanted) };
    });
    on('progress', (message) => {
      this.#engine(participant, message.run, runs).progress(participant, message);
      return undefined;
    });
    on('decline', (message) => {
      this.#engine(participant, message.run, runs).decline(participant, message);
      return null;
    });
    on('answer', async (message) => {
      const release = this.#intake.hold(message.frame.byteLength);
      try {
        return await this.#engine(participant, message.run, runs).answer(participant, message);
      } finally {
        release();
        // A header alone is kept until the rest has come.
        if (!isHeaderAlone(frameBytes(message.frame))) letGo(message.frame);
      }
    });
    on('answer-piece', async (message) => {
      const release = this.#intake.hold(message.bytes.byteLength);
      try {
        return { next: await this.#engine(participant, message.run, runs).answerPiece(participant, message) };
      } finally {
        release();
      }
    });
    on('counted', async ({ run, tickets }) => ({
      counted: await this.#engine(participant, run, runs).counted(participant, tickets),
    }));
    socket.onAny((name: string, ...rest: unknown[]) => {
      if (!Object.hasOwn(upMessages, name)) this.#unknown(socket, name, rest.at(-1));
    });
  }

  /** Answers an event that this version does not know: silence would be taken for a lost connection. */
  #unknown(socket: Socket, name: string, acknowledge: unknown): void {
    const error = new CoppiceError(
      'message-unknown',
      // Socket.IO lets numbers through as names, too.
      `This coordinator does not know the message "${String(name).slice(0, 100)}". Its version of the protocol is in "welcome".`,
    ).toWire();
    this.#answered('unknown', error.code);
    if (typeof acknowledge === 'function') acknowledge({ ok: false, error });
    else this.#emit(socket, 'notice', error);
  }

  /** A run that is not over, for somebody who may take part in it. @throws CoppiceError */
  #engine(participant: string, run: string, runs: Runs): RunEngine {
    const engine = runs.engine(run);
    this.#ensureAdmitted(participant, run);
    return engine;
  }

  /** @throws CoppiceError `participant-banned`, `run-not-admitted` */
  #ensureAdmitted(participant: string, run: string): void {
    const refusal = this.#admissions.refusal(participant, run);
    if (refusal !== null) throw refusal;
  }

  /** Every message is checked here, once; what is thrown becomes a named answer. */
  async #answer<N extends UpName>(
    participant: string,
    name: N,
    payload: unknown,
    handle: (message: Up<N>) => UpValue<N> | Promise<UpValue<N>>,
  ): Promise<Reply<UpValue<N>>> {
    try {
      const message = parseMessage(name, upMessages[name].schema, payload) as Up<N>;
      return { ok: true, value: await handle(message) };
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      const run = (payload as { run?: unknown } | null)?.run;
      const about = {
        participant,
        run: typeof run === 'string' ? run.slice(0, MAX_TEXT) : undefined,
        message: name,
      };
      if (error.code === 'internal')
        this.#logger.error({ ...about, err: thrown }, 'a message could not be handled');
      else this.#logger.debug({ ...about, code: error.code }, 'a message was refused');
      return { ok: false, error: outward(error.toWire()) };
    }
  }

  /** Summaries to those who joined or watch, head counts to those who joined; a burst of changes becomes one push. */
  #push(run: string): void {
    let push = this.#pushes.get(run);
    if (push === undefined) {
      const interval = () =>
        Math.min(LONGEST_PUSH_INTERVAL, PUSH_INTERVAL + PUSH_INTERVAL_EACH * this.connected);
      push = coalesce(this.#clock, interval, () => {
        const runs = this.#runs;
        if (runs === null) return;
        const full = runs.get(run);
        const engine = engineOrNull(runs, run);
        const heads = engine?.heads();
        this.#tell(full, heads?.here ?? []);
        if (isOver(full.status)) this.#forgetStrangers(runs);
        if (heads === undefined || isOver(full.status)) return;
        const { here, working, done } = heads;
        this.send(here, 'peers', { run, joined: here.length, working, done });
      });
      this.#pushes.set(run, push);
    }
    push.request();
  }

  /** Tells of a run. To those whom it does not admit goes less of it. */
  #tell(run: Run, joined: readonly string[]): void {
    const standing = `${run.status} ${run.admission}`;
    const arrivals = this.#standings.get(run.id) === standing ? [] : this.#watches.arrivals;
    this.#standings.set(run.id, standing);
    const now = this.#clock.now();
    const admitted: string[] = [];
    const others: string[] = [];
    for (const id of new Set([...joined, ...this.#watches.of(run.id), ...arrivals])) {
      const admits = run.admission === 'open' || this.#admits(id, run.id);
      (admits ? admitted : others).push(id);
    }
    this.send(admitted, 'run', { run: summaryOf(run, true), now });
    this.send(others, 'run', { run: summaryOf(run, false), now });
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
function countsSomewhere(participant: string, { runs: joined }: Presence, runs: Runs): boolean {
  for (const run of joined) {
    const engine = engineOrNull(runs, run);
    if (engine !== null && !isOver(engine.record.status) && engine.remembers(participant)) return true;
  }
  return false;
}

/** @throws CoppiceError `plan-unsupported`, naming all that the participant would have to know. */
function ensureSupported(required: readonly string[], features: ReadonlySet<string>): void {
  const missing = required.filter((name) => !features.has(name));
  if (missing.length === 0) return;
  throw new CoppiceError(
    'plan-unsupported',
    `This run needs a program that knows ${missing.join(', ')}. Reload the page, or update the program, to take part.`,
  );
}

function engineOrNull(runs: Runs, run: string) {
  try {
    return runs.engine(run);
  } catch {
    return null;
  }
}
