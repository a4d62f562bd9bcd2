import { type Answer, CoppiceError } from '@coppice/protocol';
import type { Receipt } from '../exchanges/exchange.ts';

/** Takes the answers to one kind of a task's questions. */
export interface AnswerTaker {
  /** Resolves when the answer is on disk. @param unread see `Exchange.take`. @throws CoppiceError a fault of the answer. */
  take(participant: string, answer: Answer, unread?: () => void): Promise<Receipt>;
  /** True where the ticket is of an open question to this participant, which is admitted, about a model with this hash. */
  opens(participant: string, ticket: string, hash: string): boolean;
}

/** A ticket, and the participant that shows it. */
export interface ShownTicket {
  readonly participant: string;
  readonly ticket: string;
}

/** The way of answers to tasks' questions: the first part of a ticket, before the hyphen, is the kind of its question. */
export class TaskAnswers {
  readonly #takers = new Map<string, AnswerTaker>();

  /** Sends answers of a kind here, in the place of an earlier taker. Returns the end of it. */
  register(task: string, kind: string, taker: AnswerTaker): () => void {
    const key = keyOf(task, kind);
    this.#takers.set(key, taker);
    return () => {
      if (this.#takers.get(key) === taker) this.#takers.delete(key);
    };
  }

  /** @throws CoppiceError `update-late` where questions of this kind are not asked any more; a fault of the answer. */
  async take(task: string, participant: string, answer: Answer, unread?: () => void): Promise<Receipt> {
    const taker = this.#takerOf(task, answer.ticket);
    if (taker !== undefined) return taker.take(participant, answer, unread);
    throw new CoppiceError(
      'update-late',
      `The question of "${task}" is not asked any more. The answer does not count; wait for the next one.`,
    );
  }

  /** As `AnswerTaker.opens`. */
  opens(task: string, { participant, ticket }: ShownTicket, hash: string): boolean {
    return this.#takerOf(task, ticket)?.opens(participant, ticket, hash) ?? false;
  }

  #takerOf(task: string, ticket: string): AnswerTaker | undefined {
    return this.#takers.get(keyOf(task, ticket.split('-', 1)[0] ?? ''));
  }
}

/** No task id contains a slash. */
function keyOf(task: string, kind: string): string {
  return `${task}/${kind}`;
}
