import type { Ask, ExchangeKind } from '@coppice/protocol';
import type { Audience } from '../rounds/audience.ts';
import type { Exchange } from './exchange.ts';
import type { Tickets } from './tickets.ts';

/** The part of a question that is common to all participants. */
export interface Question {
  readonly run: string;
  readonly kind: ExchangeKind;
  readonly round: number;
  readonly attempt: number;
  readonly given: Omit<Ask['given'], 'weightCap'>;
  /** The parcels for a participant, which may already have some. */
  readonly parcels: (participant: string) => Ask['parcels'];
}

/** Sends a question to members of an exchange, each with its own ticket. */
export function ask(
  question: Question,
  exchange: Exchange,
  {
    audience,
    tickets,
    elapsed,
    to = [...exchange.cohort.ids()],
  }: { audience: Audience; tickets: Tickets; elapsed: number; to?: readonly string[] },
): void {
  const { parcels, ...shared } = question;
  const remaining = exchange.dueAt === null ? null : Math.max(0, exchange.dueAt - elapsed);
  for (const participant of to) {
    audience.send([participant], 'ask', {
      ...shared,
      ticket: tickets.issue(exchange.name, participant),
      remaining,
      asked: exchange.cohort.size,
      parcels: parcels(participant),
      given: { ...question.given, weightCap: exchange.weightCap(participant) },
    });
  }
}
