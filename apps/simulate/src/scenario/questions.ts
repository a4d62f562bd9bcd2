import type { Transport } from '@coppice/participant';
import type { Clock } from '@coppice/ports';
import type { TaskAsk } from '@coppice/protocol';

/** A question of a task to one device. */
export interface Question extends Pick<TaskAsk, 'kind' | 'period'> {
  /** When it closes, by the clock. */
  readonly closesAt: number;
  /** True once the coordinator replied to the device's answer. */
  answered: boolean;
}

/** What travels between one device and the coordinator: bytes, and the questions of tasks in their order. */
export class Questions {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #all: Question[] = [];
  readonly #byTicket = new Map<string, Question>();
  readonly #listeners = new Set<() => void>();
  #connection: Transport | null = null;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get all(): readonly Question[] {
    return this.#all;
  }

  /** Sent and received until now. */
  get bytes(): number {
    const traffic = this.#connection?.traffic;
    return traffic === undefined ? 0 : traffic.sent.bytes + traffic.received.bytes;
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** The same transport, whose questions and answers are noted here. */
  over(transport: Transport): Transport {
    this.#connection = transport;
    return {
      open: (events) =>
        transport.open({
          ...events,
          onMessage: (name, message) => {
            if (name === 'ask' && 'task' in message) this.#asked(message as TaskAsk);
            events.onMessage(name, message);
          },
        }),
      request: async (name, message) => {
        const reply = await transport.request(name, message);
        if (name === 'answer' && 'ticket' in message) this.#answered(String(message.ticket));
        return reply;
      },
      send: (name, message) => transport.send(name, message),
      get traffic() {
        return transport.traffic;
      },
      close: () => transport.close(),
    };
  }

  #asked({ kind, period, remaining, ticket }: TaskAsk): void {
    const question = { kind, period, closesAt: this.#clock.now() + remaining, answered: false };
    this.#all.push(question);
    this.#byTicket.set(ticket, question);
    this.#tell();
  }

  #answered(ticket: string): void {
    const question = this.#byTicket.get(ticket);
    if (question === undefined) return;
    question.answered = true;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
