import type { Answer, Availability, CoppiceError, Join } from '@coppice/protocol';
import { failureData, reasonOf } from '../failure.ts';
import type { Member } from './members.ts';
import type { RunLog } from './run-log.ts';
import { allChanged, type RunOptions, type RunState } from './run-state.ts';

/** Arrivals and departures of a run's members, and their rows: exchanges that await a member are told of both. */
export class Membership {
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #o: Pick<RunOptions, 'clock' | 'observer'>;

  constructor(state: RunState, log: RunLog, options: Pick<RunOptions, 'clock' | 'observer'>) {
    this.#state = state;
    this.#log = log;
    this.#o = options;
  }

  join(participant: string, join: Join): void {
    const { members } = this.#state;
    const known = members.get(participant);
    members.join(participant, join, this.#o.clock.now());
    this.returned(participant);
    if (known === undefined || known.presence === 'left') {
      const { device, backend } = join;
      this.#log.about(participant, 'info', 'participant-joined', { device, backend });
    }
    allChanged(this.#o.observer);
  }

  leave(participant: string): void {
    if (this.#staying(participant) === null) return;
    this.#went(participant, 'left');
    this.#log.about(participant, 'info', 'participant-left', {});
    for (const exchange of this.#state.exchanges.all()) exchange.out(participant, 'left');
    allChanged(this.#o.observer);
  }

  /** Removes a member. Its acknowledged answers stay counted; others are no longer awaited. */
  putOut(participant: string, why: CoppiceError): void {
    const member = this.#staying(participant);
    if (member === null) return;
    member.lastError = why.toWire();
    this.#went(participant, 'left');
    this.#log.about(participant, 'warning', 'participant-put-out', { code: why.code });
    for (const exchange of this.#state.exchanges.all()) exchange.out(participant, 'refused');
    allChanged(this.#o.observer);
  }

  connectionLost(participant: string): void {
    if (this.#state.members.get(participant)?.presence !== 'here') return;
    this.#went(participant, 'away');
    for (const exchange of this.#state.exchanges.all()) exchange.away(participant);
    allChanged(this.#o.observer);
  }

  /** Records that a member reconnected. */
  returned(participant: string): void {
    this.#state.members.returned(participant);
    for (const exchange of this.#state.exchanges.all()) exchange.back(participant);
  }

  /** @throws CoppiceError `not-joined` */
  availability(participant: string, { paused, examples }: Availability): void {
    const member = this.#state.members.joined(participant);
    member.paused = paused;
    member.examples = examples;
    allChanged(this.#o.observer);
  }

  /** Records that a member's answer counts. */
  counted(participant: string, { weight, milliseconds }: Answer): void {
    const member = this.#state.members.get(participant);
    if (member === undefined) return;
    member.progress = 1;
    member.lastError = null;
    member.roundsDelivered++;
    if (milliseconds > 0) member.speed = (weight * this.#state.record.plan.epochs * 1000) / milliseconds;
    this.#o.observer.participantsChanged();
  }

  /** Records that a member's answer was refused; it is logged once an attempt, not `again`. */
  refused(participant: string, error: CoppiceError, again: boolean): void {
    const member = this.#state.members.get(participant);
    if (member !== undefined) member.lastError = error.toWire();
    if (!again) this.#log.about(participant, 'warning', 'update-refused', failureData(reasonOf(error)));
  }

  #went(participant: string, how: 'away' | 'left'): void {
    const { members, exchanges } = this.#state;
    const cohort = exchanges.round?.exchange.cohort;
    members.went(participant, how, this.#o.clock.now(), (id) => cohort?.has(id) === true);
  }

  /** The participant's member record, unless it has left. */
  #staying(participant: string): Member | null {
    const member = this.#state.members.get(participant);
    return member === undefined || member.presence === 'left' ? null : member;
  }
}
