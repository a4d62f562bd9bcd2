import type { Clock } from '@coppice/ports';
import {
  type Admission,
  type Ban,
  CoppiceError,
  type CreateBan,
  type CreateRunInvitation,
  type ListedParticipant,
  type RunAdmission,
  type RunInvitation,
} from '@coppice/protocol';
import type { AdmissionStorage, ListedRecord, RunInvitationRecord } from '../storage/admission-storage.ts';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import { hashOf, newId, newSecret } from './secrets.ts';

const DAY = 24 * 60 * 60 * 1000;
const INVITATION = 'join-';

/**
 * Admission of participants to runs, and bans. It is checked with every message, so it is in memory; changes are stored
 * before they take effect.
 */
export class Admissions {
  readonly #storage: AdmissionStorage;
  readonly #clock: Clock;
  readonly #admissions = new Map<string, Admission>();
  /** Lists by run, then by participant. */
  readonly #listed = new Map<string, Map<string, ListedRecord>>();
  readonly #bans = new Map<string, Ban>();
  readonly #bansOf = new Map<string, readonly Ban[]>();
  readonly #listeners = new Set<() => void>();
  /** Serializes changes, so that storage and memory change in the same order. */
  readonly #exclusively = oneAtATime();

  constructor(storage: AdmissionStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Loads the state from storage. Call before the first participant is admitted. */
  async recover(): Promise<void> {
    for (const { run, admission } of await this.#storage.admissions()) this.#admissions.set(run, admission);
    for (const record of (await this.#storage.listed()).reverse())
      this.#listOf(record.run).set(record.participant, record);
    for (const ban of (await this.#storage.bans()).reverse()) this.#putBan(ban);
  }

  /** @param tightened called when an admitted participant may have lost its admission. */
  subscribe(tightened: () => void): void {
    this.#listeners.add(tightened);
  }

  // ---- what is asked

  of(run: string): Admission {
    return this.#admissions.get(run) ?? 'open';
  }

  /** The runs that are not open. */
  closed(): string[] {
    return [...this.#admissions].filter(([, admission]) => admission !== 'open').map(([run]) => run);
  }

  /** The reason to refuse a participant a run or, without a run, a connection; `null` where it is admitted. */
  refusal(participant: string, run: string | null): CoppiceError | null {
    for (const ban of this.#bansOf.get(participant) ?? []) {
      if (ban.run !== null && ban.run !== run) continue;
      return new CoppiceError(
        'participant-banned',
        ban.run === null
          ? 'The operator of this coordinator has banned this participant. Ask the operator, if that is a mistake.'
          : `The operator has banned this participant from the run "${ban.run}". Ask the operator, if that is a mistake.`,
      );
    }
    if (run === null || this.of(run) === 'open' || this.#listed.get(run)?.has(participant)) return null;
    return new CoppiceError(
      'run-not-admitted',
      this.of(run) === 'invited'
        ? `The run "${run}" is by invitation. Ask the operator for a link, or tell them the id of this participant, so that they can put it on the run's list.`
        : `The run "${run}" is for those on its list. Tell the operator the id of this participant, so that they can put it there.`,
    );
  }

  /**
   * Admits a participant by an invitation, where the run would refuse it otherwise. Resolves when that is on disk.
   *
   * @throws CoppiceError `participant-banned`, `run-not-admitted`; `invitation-invalid`: then no use of it is spent.
   */
  async come(participant: string, run: string, secret: string): Promise<void> {
    await this.#exclusively(async () => {
      const refusal = this.refusal(participant, run);
      if (refusal === null) return;
      if (refusal.code !== 'run-not-admitted' || this.of(run) !== 'invited') throw refusal;
      const use = { hash: hashOf(secret), run, participant, at: this.#clock.now() };
      const record = await this.#storage.useRunInvitation(use);
      if (record === null)
        throw new CoppiceError(
          'invitation-invalid',
          `This invitation does not open the run "${run}": it is another run's, was revoked, is too old, or was used as often as it may be. Ask the operator for another.`,
        );
      this.#listOf(run).set(participant, record);
    });
  }

  // ---- what operators do

  /** Enforces the admission that a new run was stored with. Call before the run receives messages. */
  begin(run: string, admission: Admission): void {
    this.#admissions.set(run, admission);
  }

  /** @param keep participants to list first, so that they stay. */
  async change(
    run: string,
    admission: Admission,
    { keep, by }: { keep: readonly string[]; by: string },
  ): Promise<void> {
    await this.#exclusively(async () => {
      await this.#add(run, keep, { note: '', by });
      await this.#set(run, admission);
    });
    this.#tightened();
  }

  async #set(run: string, admission: Admission): Promise<void> {
    await this.#storage.setAdmission(run, admission);
    this.#admissions.set(run, admission);
  }

  /** @returns the invitation and its secret, which is not stored. */
  async invite(
    run: string,
    { label = '', days = null, uses = null }: CreateRunInvitation,
    by: string,
  ): Promise<{ secret: string; invitation: RunInvitation }> {
    const secret = newSecret(INVITATION);
    const now = this.#clock.now();
    const invitation = {
      id: newId(),
      run,
      label,
      by,
      createdAt: now,
      expiresAt: days === null ? null : now + days * DAY,
      uses: 0,
      maxUses: uses,
      revokedAt: null,
    };
    await this.#storage.addRunInvitation({ ...invitation, hash: hashOf(secret) });
    return { secret, invitation };
  }

  /**
   * Revokes an invitation: it admits no one new.
   *
   * @param remove true to remove participants that came by it from the list.
   * @throws CoppiceError `not-found`
   */
  async revoke(run: string, id: string, remove: boolean): Promise<RunInvitation> {
    const revoked = await this.#exclusively(async () => {
      await this.#invitation(run, id);
      await this.#storage.revokeRunInvitation(id, this.#clock.now());
      if (remove) {
        const came = [...this.#listOf(run).values()].filter(({ invitation }) => invitation === id);
        await this.#takeOff(
          run,
          came.map(({ participant }) => participant),
        );
      }
      return this.#invitation(run, id);
    });
    if (remove) this.#tightened();
    return shownInvitation(revoked);
  }

  async #invitation(run: string, id: string): Promise<RunInvitationRecord> {
    const found = (await this.#storage.runInvitations(run)).find((one) => one.id === id);
    if (found === undefined) throw new CoppiceError('not-found', `The run "${run}" has no such invitation.`);
    return found;
  }

  /** @returns the number of newly listed participants. */
  list(
    run: string,
    participants: readonly string[],
    { note, by }: { note: string; by: string },
  ): Promise<number> {
    return this.#exclusively(() => this.#add(run, participants, { note, by }));
  }

  async #add(
    run: string,
    participants: readonly string[],
    { note, by }: { note: string; by: string },
  ): Promise<number> {
    const list = this.#listOf(run);
    const createdAt = this.#clock.now();
    const added = [...new Set(participants)]
      .filter((participant) => !list.has(participant))
      .map((participant) => ({ run, participant, invitation: null, note, by, createdAt }));
    await this.#storage.list(added);
    for (const record of added) list.set(record.participant, record);
    return added.length;
  }

  /** @throws CoppiceError `not-found` */
  async unlist(run: string, participant: string): Promise<ListedParticipant> {
    const gone = await this.#exclusively(async () => {
      const record = this.#listOf(run).get(participant);
      if (record === undefined)
        throw new CoppiceError('not-found', `The participant is not on the list of the run "${run}".`);
      await this.#takeOff(run, [participant]);
      return record;
    });
    this.#tightened();
    return shownListed(gone);
  }

  async #takeOff(run: string, participants: readonly string[]): Promise<void> {
    await this.#storage.unlist(run, participants);
    for (const participant of participants) this.#listOf(run).delete(participant);
  }

  /** Bans a participant from a run or from the whole coordinator; an existing ban stays. */
  async ban({ participant, run, reason = '' }: CreateBan, by: string): Promise<Ban> {
    const ban = await this.#exclusively(async () => {
      const known = this.#bansOf.get(participant)?.find((one) => one.run === run);
      if (known !== undefined) return known;
      const made = { id: newId(), participant, run, reason, by, createdAt: this.#clock.now() };
      await this.#storage.addBan(made);
      this.#putBan(made);
      return made;
    });
    this.#tightened();
    return ban;
  }

  /** @throws CoppiceError `not-found` */
  lift(id: string): Promise<Ban> {
    return this.#exclusively(async () => {
      const ban = this.#bans.get(id);
      if (ban === undefined) throw new CoppiceError('not-found', 'There is no such ban any more.');
      await this.#storage.removeBan(id);
      this.#bans.delete(id);
      this.#bansOf.set(
        ban.participant,
        (this.#bansOf.get(ban.participant) ?? []).filter((one) => one.id !== id),
      );
      return ban;
    });
  }

  // ---- what operators see

  /** Bans, newest first. */
  bans(): Ban[] {
    return [...this.#bans.values()].reverse();
  }

  async describe(run: string): Promise<RunAdmission> {
    return {
      admission: this.of(run),
      invitations: (await this.#storage.runInvitations(run)).map(shownInvitation),
      listed: [...this.#listOf(run).values()].reverse().map(shownListed),
      bans: this.bans().filter((ban) => ban.run === null || ban.run === run),
    };
  }

  #putBan(ban: Ban): void {
    this.#bans.set(ban.id, ban);
    this.#bansOf.set(ban.participant, [...(this.#bansOf.get(ban.participant) ?? []), ban]);
  }

  #listOf(run: string): Map<string, ListedRecord> {
    let list = this.#listed.get(run);
    if (list === undefined) {
      list = new Map();
      this.#listed.set(run, list);
    }
    return list;
  }

  #tightened(): void {
    for (const listener of this.#listeners) listener();
  }
}

function shownInvitation({ hash: _hash, ...invitation }: RunInvitationRecord): RunInvitation {
  return invitation;
}

function shownListed({ run: _run, ...listed }: ListedRecord): ListedParticipant {
  return listed;
}
