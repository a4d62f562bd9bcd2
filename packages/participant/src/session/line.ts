import type { Clock } from '@coppice/ports';
import { CoppiceError, type Reply, type Up, type UpName, type UpValue } from '@coppice/protocol';
import { OutboundLog } from '../outbound-log.ts';
import type { Traffic, Transport } from '../transport.ts';
import type { StateStore } from './state-store.ts';

/** The way of every message up: each has a line in the outbound log, and its bytes are counted. */
export class Line {
  readonly #transport: Transport;
  readonly #beside: { readonly traffic: Traffic } | undefined;
  readonly #clock: Clock;
  readonly #store: StateStore;
  readonly #outbound = new OutboundLog();

  /** @param options.beside another way whose traffic counts, too. */
  constructor({
    transport,
    beside,
    clock,
    store,
  }: {
    transport: Transport;
    beside?: { readonly traffic: Traffic } | undefined;
    clock: Clock;
    store: StateStore;
  }) {
    this.#transport = transport;
    this.#beside = beside;
    this.#clock = clock;
    this.#store = store;
  }

  /** @throws CoppiceError `connection-lost` */
  async request<N extends UpName>(name: N, message: Up<N>): Promise<Reply<UpValue<N>>> {
    this.record(name, message);
    try {
      return await this.#transport.request(name, message);
    } finally {
      this.countTraffic();
    }
  }

  /** Sends a message that `record` has noted already, or that is part of one that it has: pieces have no lines of their own. */
  readonly requestUnrecorded: Transport['request'] = (name, message) =>
    this.#transport.request(name, message);

  /** Sends a message that may be lost. */
  send<N extends UpName>(name: N, message: Up<N>): void {
    this.record(name, message);
    this.#transport.send(name, message);
  }

  /**
   * Notes a message in the outbound log, before it is sent.
   *
   * @param norm L2 norm of a contribution's change of the model.
   * @param question the kind of a task's question that it answers.
   */
  record<N extends UpName>(name: N, message: Up<N>, norm?: number, question?: string): void {
    this.#outbound.add(name, message, { at: this.#clock.now(), norm, question });
    this.#store.set({ outbound: this.#outbound.records });
    this.countTraffic();
  }

  /** Shows the bytes that left and came since. */
  countTraffic(): void {
    const { sent, received } = this.#transport.traffic;
    const beside = this.#beside?.traffic;
    if (beside === undefined) this.#store.set({ sent, received });
    else
      this.#store.set({
        sent: sum(sent, beside.sent),
        received: sum(received, beside.received),
      });
  }
}

function sum(one: Traffic['sent'], other: Traffic['sent']): Traffic['sent'] {
  return { messages: one.messages + other.messages, bytes: one.bytes + other.bytes };
}

/** The content of an answer. @throws CoppiceError its refusal. */
export function contentOf<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw CoppiceError.fromWire(reply.error);
}
