import { PROTOCOL_VERSION } from '@coppice/protocol';
import type { Draw } from '@coppice/protocol/testing';
import { keysOf } from '../conformance/raw-identity.ts';
import {
  type Known,
  loosePacket,
  mutatedMessage,
  mutatedPacket,
  type Packet,
  strangeEvent,
  wrongAttachments,
} from './messages.ts';

/** Answers by error code, or `ok`, with their counts. */
export type Tally = Map<string, number>;

export function count(tally: Tally, text: string): void {
  for (const [, code = ''] of text.matchAll(/"code":"([a-z-]+)"/g))
    tally.set(code, (tally.get(code) ?? 0) + 1);
  if (text.includes('[{"ok":true')) tally.set('ok', (tally.get('ok') ?? 0) + 1);
}

/**
 * Messages on one connection: one more refusal and the coordinator would close it, and later messages would be lost.
 * The last may be one that ends a connection at once.
 */
const BATCH = 19;

/** A participant with an identity, in the run, that sends invalid messages, and returns each time it is disconnected. */
export class Attacker {
  readonly #url: string;
  readonly #name: string;
  /** Replaced after too many refusals: new identities cost nothing. */
  #keys: ReturnType<typeof keysOf>;
  #lives = 0;
  readonly #known: Known;
  readonly #tally: Tally;
  #line: Line | null = null;
  /** Consecutive refused connections. */
  #shut = 0;

  constructor(url: string, name: string, known: Known, tally: Tally) {
    this.#url = url;
    this.#name = name;
    this.#keys = keysOf(name);
    this.#known = known;
    this.#tally = tally;
  }

  /**
   * Opens a connection, proves an identity and joins the run; or, at times, proves nothing, or uses a new identity and
   * joins nothing.
   */
  async enter(draw: Draw): Promise<void> {
    const kind = draw(10);
    const line = new Line(this.#url, kind === 0 ? keysOf(`stranger-${draw(2 ** 31)}`) : this.#keys, {
      proves: kind !== 1,
      joins: kind !== 0,
      known: this.#known,
      tally: this.#tally,
    });
    this.#line = line;
    await line.ready;
    if (!line.closed) this.#shut = 0;
    else if (++this.#shut % 10 === 0) this.#keys = keysOf(`${this.#name}-${++this.#lives}`);
    if (this.#shut > 100)
      throw new Error('attackers are not let in any more: raise the limits of this run in target.ts');
  }

  /** Sends messages until the connection ends. @returns the number of messages sent. */
  async attack(draw: Draw): Promise<number> {
    const line = this.#line;
    if (line === null) return 0;
    let sent = 0;
    for (; sent < BATCH && !line.closed; sent++) {
      const last = sent === BATCH - 1;
      // Messages in transit are lost when a connection closes: let them arrive first.
      if (last) await line.answerOrEnd();
      // An answer to a new question is checked most thoroughly, but only one may be refused for good: send it first.
      const first = sent === 0 ? 'answer' : undefined;
      const known = { ...this.#known, ticket: line.ticket ?? this.#known.ticket };
      line.send(last ? lastPacket(known, draw) : mutatedMessage(known, draw, first));
    }
    await line.answerOrEnd();
    line.close();
    await line.gone;
    return sent;
  }
}

function lastPacket(known: Known, draw: Draw): Packet {
  switch (draw(4)) {
    case 0:
      return mutatedPacket(known, draw);
    case 1:
      return wrongAttachments(known, draw);
    case 2:
      return loosePacket(draw);
    default:
      return strangeEvent(known, draw);
  }
}

/** One connection. */
class Line {
  readonly #socket: WebSocket;
  readonly #known: Known;
  #answered: (() => void) | null = null;
  /** Resolves when messages can be sent, or the connection is closed. */
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  closed = false;
  /** Ticket of the last question; `null`: none came. */
  ticket: string | null = null;

  constructor(
    url: string,
    keys: ReturnType<typeof keysOf>,
    { proves, joins, known, tally }: { proves: boolean; joins: boolean; known: Known; tally: Tally },
  ) {
    this.#known = known;
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`);
    this.#socket.binaryType = 'arraybuffer';
    const { promise: ready, resolve: begin } = Promise.withResolvers<void>();
    this.ready = ready;
    this.gone = new Promise((resolve) => {
      this.#socket.addEventListener('close', () => {
        this.closed = true;
        begin();
        resolve();
      });
    });
    const { host } = new URL(url);
    this.#socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== 'string') return;
      count(tally, data);
      if (data.includes('-/participant,["ask"')) this.ticket = /"ticket":"([^"]+)"/.exec(data)?.[1] ?? null;
      if (data === '2') this.#write('3');
      else if (data.startsWith('0'))
        this.#write(`40/participant,${JSON.stringify({ protocol: PROTOCOL_VERSION, key: keys.key })}`);
      else if (data.startsWith('42/participant,["challenge"')) {
        const [, { nonce }] = JSON.parse(data.slice(data.indexOf('['))) as [string, { nonce: string }];
        if (!proves) begin();
        else
          this.#write(`42/participant,0${JSON.stringify(['prove', { signature: keys.prove(host, nonce) }])}`);
      } else if (data.startsWith('42/participant,["welcome"')) {
        if (!joins) begin();
        const { run } = this.#known;
        const about = { run, device: 'headless', backend: 'none', examples: 10, speed: null, paused: false };
        this.#write(`42/participant,1${JSON.stringify(['join', about])}`);
      } else if (data.startsWith('43/participant,1[')) begin();
      else if (data.startsWith('44/nobody,')) this.#answered?.();
      // Not let in.
      else if (data.startsWith('44/participant,')) this.#socket.close();
    });
  }

  send({ text, attachments }: Packet): void {
    this.#write(text);
    for (const bytes of attachments) this.#write(bytes);
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * Requests an unknown namespace: this is refused with a code even before a proof, once everything before has been
   * read. A connection with an unfinished message is closed instead.
   */
  async answerOrEnd(): Promise<void> {
    if (this.closed) return;
    const answer = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.#write('40/nobody,');
    await Promise.race([answer, this.gone]);
  }

  #write(data: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
  }
}
