import {
  type Answer,
  type AnswerPiece,
  CoppiceError,
  type Decline,
  isErrorCode,
  type Progress,
  type Round,
} from '@coppice/protocol';
import { tellsDivergence } from '../exchanges/cohort.ts';
import type { Exchange, Receipt } from '../exchanges/exchange.ts';
import { pullName, roundOf } from '../exchanges/tickets.ts';
import { CountedRounds } from './counted-rounds.ts';
import { progressShare } from './members.ts';
import type { Membership } from './membership.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** Passes the answers to a run's questions to the exchange that their ticket names. */
export class Answers {
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #rounds: CountedRounds;
  readonly #membership: Pick<Membership, 'returned'>;
  readonly #o: Pick<RunOptions, 'clock' | 'observer'>;

  constructor(
    state: RunState,
    log: RunLog,
    membership: Pick<Membership, 'returned'>,
    options: Pick<RunOptions, 'clock' | 'observer' | 'storage'>,
  ) {
    this.#state = state;
    this.#log = log;
    this.#membership = membership;
    this.#o = options;
    this.#rounds = new CountedRounds(state.record.id, options.storage);
  }

  /**
   * Takes an answer. Resolves when it is on disk: only then may it be acknowledged. An answer whose frame is a header
   * alone is only announced until its pieces have arrived.
   *
   * @param unread see `Exchange.take`.
   * @throws CoppiceError a fault of the answer, `not-joined`, `ticket-invalid`, `update-late`; `storage-failed` where
   *   it could not be stored.
   */
  async take(participant: string, answer: Answer, unread?: () => void): Promise<Receipt> {
    this.#state.members.joined(participant).lastSeenAt = this.#o.clock.now();
    // An answer may arrive on a new connection before anything else does.
    this.#membership.returned(participant);
    const name = this.#nameOf(participant, answer.ticket);
    const exchange = this.#state.exchanges.named(name);
    if (exchange !== null) return exchange.take(participant, answer, unread);
    const { lastRound } = this.#state;
    if (lastRound !== null && isCountedIn(lastRound, participant, name))
      return { duplicate: true, next: null };
    throw late();
  }

  /** Takes a piece of an announced answer. @returns the piece that is wanted next, once this one is written. */
  takePiece(participant: string, piece: AnswerPiece, unread?: () => void): Promise<number> {
    this.#state.members.joined(participant).lastSeenAt = this.#o.clock.now();
    const exchange = this.#exchangeOf(participant, piece.ticket);
    if (exchange !== null) return exchange.takePiece(participant, piece, unread);
    throw late();
  }

  /** @throws CoppiceError `ticket-invalid` */
  progress(participant: string, progress: Progress): void {
    const member = this.#state.members.get(participant);
    if (member === undefined || this.#exchangeOf(participant, progress.ticket) === null) return;
    member.progress = progressShare(progress);
    member.lastSeenAt = this.#o.clock.now();
    this.#o.observer.participantsChanged();
  }

  /** Records that no answer will come. @throws CoppiceError `not-joined`, `ticket-invalid` */
  decline(participant: string, { ticket, reason }: Decline): void {
    const { members, exchanges, model } = this.#state;
    const member = members.joined(participant);
    const exchange = this.#exchangeOf(participant, ticket);
    if (exchange?.cohort.owing(participant) == null) return;
    if (reason !== 'paused' && reason !== 'dropout') {
      member.lastError = {
        code: isErrorCode(reason) ? reason : 'internal',
        message: `The participant could not train in round ${exchanges.round?.opening.round ?? model.round}.`,
      };
      this.#log.about(participant, 'warning', 'update-declined', { code: reason });
    }
    exchange.out(participant, 'declined', tellsDivergence(reason));
  }

  /**
   * Finds out which answers to earlier questions counted in rounds that led to the current model: `null` while the
   * question is open.
   *
   * @throws CoppiceError `not-joined`, `ticket-invalid`; `storage-failed` and its kin.
   */
  async counted(participant: string, tickets: readonly string[]): Promise<(boolean | null)[]> {
    this.#state.members.joined(participant);
    const names = tickets.map((ticket) => this.#nameOf(participant, ticket));
    return Promise.all(names.map((name) => this.#isCounted(participant, name)));
  }

  async #isCounted(participant: string, name: string): Promise<boolean | null> {
    const { exchanges, lastRound, model } = this.#state;
    if (exchanges.named(name) !== null) return null;
    const asked = roundOf(name);
    if (asked === null || asked.round > model.round) return false;
    if (lastRound?.round === asked.round && lastRound.attempt === asked.attempt)
      return isCountedIn(lastRound, participant, name);
    return this.#rounds.has(participant, asked);
  }

  /** Checks that a ticket belongs to an open question to this participant. */
  holdsTicket(participant: string, ticket: string): boolean {
    const { tickets, exchanges, model } = this.#state;
    const name = tickets.read(ticket, participant);
    return name !== null && (name === pullName(model) || exchanges.named(name) !== null);
  }

  /** The exchange of a participant's ticket; `null` once its round is over. @throws CoppiceError `ticket-invalid` */
  #exchangeOf(participant: string, ticket: string): Exchange | null {
    return this.#state.exchanges.named(this.#nameOf(participant, ticket));
  }

  #nameOf(participant: string, ticket: string): string {
    const name = this.#state.tickets.read(ticket, participant);
    if (name !== null) return name;
    throw new CoppiceError(
      'ticket-invalid',
      'The ticket is not one that this run gave to this participant. Echo the ticket of the question, unchanged.',
    );
  }
}

/** Checks that an answer to the question of this name counted in a committed round. */
function isCountedIn(
  { outcome, round, attempt, parent, cohort }: Round,
  participant: string,
  name: string,
): boolean {
  const asked = roundOf(name);
  return (
    outcome === 'committed' &&
    round === asked?.round &&
    attempt === asked.attempt &&
    parent.startsWith(asked.parent) &&
    cohort.some((one) => one.participant === participant && one.outcome === 'accepted')
  );
}

function late(): CoppiceError {
  return new CoppiceError(
    'update-late',
    'The question that this update answers is closed. The update does not count; go on with the current model.',
  );
}
