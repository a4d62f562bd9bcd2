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

/** The questions of tasks that came to one device, in their order. */
export class Questions {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #all: Question[] = [];
  readonly #byTicket = new Map<string, Question>();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get all(): readonly Question[] {
    return this.#all;
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** The same transport, whose questions and answers are noted here. */
  over(transport: Transport): Transport {
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
