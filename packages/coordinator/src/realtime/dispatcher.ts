import {
  CoppiceError,
  MAX_TEXT,
  parseMessage,
  type Reply,
  type Up,
  type UpValue,
  upMessages,
} from '@coppice/protocol';
import type { Logger } from 'pino';
import { outward } from '../outward.ts';
import { emit } from './emit.ts';
import type { HandledName, Handler, Handlers } from './handlers.ts';
import { type Offences, tooManyOffences } from './offences.ts';
import type { Sender } from './sender.ts';

export interface DispatcherOptions {
  readonly offences: Offences;
  readonly logger: Pick<Logger, 'debug' | 'warn' | 'error'>;
  /** Hears of every answer: the message's name, and `ok` or an error code. */
  readonly answered: (message: string, result: string) => void;
}

/**
 * Checks every message against its schema, once, hands it to its handler, and answers by name also where that throws. A
 * participant that goes on sending messages of no use is disconnected.
 */
export class Dispatcher {
  readonly #handlers: Handlers;
  readonly #o: DispatcherOptions;

  constructor(handlers: Handlers, options: DispatcherOptions) {
    this.#handlers = handlers;
    this.#o = options;
  }

  /** Listens to a connection until it ends. */
  listen(sender: Sender): void {
    const { socket } = sender;
    for (const name of Object.keys(this.#handlers) as HandledName[])
      socket.on(name as string, (payload: unknown, acknowledge: unknown) => {
        void this.#dispatch(name, payload, sender).then((reply) =>
          this.#reply(sender, name, { reply, acknowledge }),
        );
      });
    socket.onAny((name: string, ...rest: unknown[]) => {
      if (!Object.hasOwn(upMessages, name)) this.#unknown(sender, name, rest.at(-1));
    });
  }

  /** The answer to a message; an error is one, too. */
  async #dispatch<N extends HandledName>(
    name: N,
    payload: unknown,
    sender: Sender,
  ): Promise<Reply<UpValue<N>>> {
    try {
      const message = parseMessage(name, upMessages[name].schema, payload) as Up<N>;
      const handle: Handler<N> = this.#handlers[name];
      return { ok: true, value: await handle(message, sender) };
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      const run = (payload as { run?: unknown } | null)?.run;
      const about = {
        participant: sender.participant,
        run: typeof run === 'string' ? run.slice(0, MAX_TEXT) : undefined,
        message: name,
      };
      const { logger } = this.#o;
      if (error.code === 'internal')
        logger.error({ ...about, err: thrown }, 'a message could not be handled');
      else logger.debug({ ...about, code: error.code }, 'a message was refused');
      return { ok: false, error: outward(error.toWire()) };
    }
  }

  #reply(
    { participant, socket }: Sender,
    name: HandledName,
    { reply, acknowledge }: { reply: Reply<unknown>; acknowledge: unknown },
  ): void {
    const { answered, offences, logger } = this.#o;
    answered(name, reply.ok ? 'ok' : reply.error.code);
    if (typeof acknowledge === 'function') acknowledge(reply);
    if (reply.ok) return;
    const { error } = reply;
    // A sender that asked for no answer still hears that it is not understood.
    if (typeof acknowledge !== 'function' && error.code === 'message-invalid') emit(socket, 'notice', error);
    if (!socket.connected || !offences.refused(participant, error.code)) return;
    logger.warn({ participant, code: error.code }, 'a connection was closed after too many refused messages');
    emit(socket, 'notice', tooManyOffences(offences.wait(participant), error).toWire());
    socket.disconnect(true);
  }

  /** Answers an event that this version does not know: silence would be taken for a lost connection. */
  #unknown({ socket }: Sender, name: string, acknowledge: unknown): void {
    const error = new CoppiceError(
      'message-unknown',
      // Socket.IO lets numbers through as names, too.
      `This coordinator does not know the message "${String(name).slice(0, 100)}". Its version of the protocol is in "welcome".`,
    ).toWire();
    this.#o.answered('unknown', error.code);
    if (typeof acknowledge === 'function') acknowledge({ ok: false, error });
    else emit(socket, 'notice', error);
  }
}
