import { CoppiceError, MAX_MONITORED_TASKS } from '@coppice/protocol';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import { same } from '../security/secrets.ts';
import type { ShownTicket } from './answers.ts';

/** A participant's word on its answers to a task's questions. */
export interface MonitorClaim {
  /** The version of the consent that was given (`consentVersion`). */
  readonly consent: string;
  /** The hash of its data recipe. */
  readonly recipe: string;
}

/** Participants that offered answers to a task's questions and are connected, admitted, and consent to what is asked now. */
export interface Offers {
  of(task: string): readonly string[];
  /** Calls back for each that comes from then on, also when a connection returns. Returns the end. */
  on(task: string, came: (participant: string) => void): () => void;
}

export interface TaskOffersOptions {
  readonly admissions: Pick<Admissions, 'refusal'>;
  /** A secret that cannot be guessed. */
  readonly newSecret: () => string;
  /** Tells a participant that its offer is over. */
  readonly tell: (participant: string, task: string, why: CoppiceError) => void;
}

interface OfTask {
  /** What is asked; null: nothing. */
  asked: MonitorClaim | null;
  readonly claims: Map<string, MonitorClaim & { readonly ticket: string }>;
  readonly listeners: Set<(participant: string) => void>;
}

/** The offers of connected participants. They hold for a connection, also while nothing is asked. */
export class TaskOffers implements Offers {
  readonly #o: TaskOffersOptions;
  readonly #tasks = new Map<string, OfTask>();
  /** The tasks of each participant's offers. */
  readonly #offered = new Map<string, Set<string>>();

  constructor(options: TaskOffersOptions) {
    this.#o = options;
  }

  of(task: string): readonly string[] {
    const { asked, claims } = this.#of(task);
    return asked === null ? [] : [...claims.keys()].filter((one) => this.#refusal(one, task) === null);
  }

  on(task: string, came: (participant: string) => void): () => void {
    const { listeners } = this.#of(task);
    listeners.add(came);
    return () => void listeners.delete(came);
  }

  /**
   * Takes an offer, in the place of an earlier one of the participant for the task.
   *
   * @returns its ticket (`holds`).
   * @throws CoppiceError `run-not-admitted`, `participant-banned`, `consent-outdated`, `report-mismatch`; `message-invalid`
   *   beyond `MAX_MONITORED_TASKS` tasks.
   */
  comes(task: string, participant: string, claim: MonitorClaim): string {
    const { asked, claims, listeners } = this.#of(task);
    this.#forget(task, participant);
    const refusal = this.#refusal(participant, task) ?? misfit(task, asked, claim);
    if (refusal !== null) throw refusal;
    const offered = this.#offered.get(participant) ?? new Set();
    if (offered.size >= MAX_MONITORED_TASKS)
      throw new CoppiceError(
        'message-invalid',
        `A connection offers reports for ${MAX_MONITORED_TASKS} tasks at most. The one for "${task}" is not taken; the others hold.`,
      );
    this.#offered.set(participant, offered.add(task));
    // Equal to what is asked: the texts are kept once for all.
    const ticket = `offer-${this.#o.newSecret()}`;
    claims.set(participant, { ...(asked ?? claim), ticket });
    if (asked !== null) for (const came of listeners) came(participant);
    return ticket;
  }

  /** True for the ticket of an offer of this participant that holds, while the task admits it. */
  holds(task: string, { participant, ticket }: ShownTicket): boolean {
    const known = this.#of(task).claims.get(participant);
    return known !== undefined && same(known.ticket, ticket) && this.#refusal(participant, task) === null;
  }

  /** Forgets a participant whose connection ended. */
  goes(participant: string): void {
    for (const task of this.#offered.get(participant) ?? []) this.#of(task).claims.delete(participant);
    this.#offered.delete(participant);
  }

  /** States what is asked from now on; null: nothing. Participants whose offers are of something else are told, and forgotten. */
  asks(task: string, asked: MonitorClaim | null): void {
    const of = this.#of(task);
    of.asked = asked;
    for (const [participant, claim] of of.claims) {
      const why = misfit(task, asked, claim);
      if (why === null) continue;
      this.#forget(task, participant);
      this.#o.tell(participant, task, why);
    }
  }

  #forget(task: string, participant: string): void {
    this.#of(task).claims.delete(participant);
    const offered = this.#offered.get(participant);
    offered?.delete(task);
    if (offered?.size === 0) this.#offered.delete(participant);
  }

  #refusal(participant: string, task: string): CoppiceError | null {
    return this.#o.admissions.refusal(participant, taskPlace(task));
  }

  #of(task: string): OfTask {
    let found = this.#tasks.get(task);
    if (found === undefined) {
      found = { asked: null, claims: new Map(), listeners: new Set() };
      this.#tasks.set(task, found);
    }
    return found;
  }
}

function misfit(task: string, asked: MonitorClaim | null, claim: MonitorClaim): CoppiceError | null {
  if (asked === null) return null;
  if (claim.consent !== asked.consent)
    return new CoppiceError(
      'consent-outdated',
      `The consent is to other reports than those of the task "${task}": what they tell, or how often, has changed. Ask the person again.`,
    );
  if (claim.recipe !== asked.recipe)
    return new CoppiceError(
      'report-mismatch',
      `The reports would be made with another data recipe than that of the task "${task}". Take the current release and count anew.`,
    );
  return null;
}
