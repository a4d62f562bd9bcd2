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
import { isTaskPlace, placeTitle } from './places.ts';
import { hashOf, newId, newSecret } from './secrets.ts';

const DAY = 24 * 60 * 60 * 1000;
const INVITATION = 'join-';

/**
 * Admission of participants to places, which are runs and tasks (`places.ts`), and bans. It is checked with every message, so it is in memory; changes are stored
 * before they take effect.
 */
export class Admissions {
  readonly #storage: AdmissionStorage;
  readonly #clock: Clock;
  readonly #admissions = new Map<string, Admission>();
  /** Lists by place, then by participant. */
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

  of(place: string): Admission {
    return this.#admissions.get(place) ?? 'open';
  }

  /** The runs that are not open. */
  closed(): string[] {
    return [...this.#admissions]
      .filter(([place, admission]) => admission !== 'open' && !isTaskPlace(place))
      .map(([run]) => run);
  }

  /** The reason to refuse a participant a place or, without one, a connection; `null` where it is admitted. */
  refusal(participant: string, place: string | null): CoppiceError | null {
    for (const ban of this.#bansOf.get(participant) ?? []) {
      if (ban.run !== null && ban.run !== place) continue;
      return new CoppiceError(
        'participant-banned',
        ban.run === null
          ? 'The operator of this coordinator has banned this participant. Ask the operator, if that is a mistake.'
          : `The operator has banned this participant from the run "${ban.run}". Ask the operator, if that is a mistake.`,
      );
    }
    if (place === null || this.of(place) === 'open' || this.#listed.get(place)?.has(participant)) return null;
    return new CoppiceError(
      'run-not-admitted',
      this.of(place) === 'invited'
        ? `The ${placeTitle(place)} is by invitation. Ask the operator for a link, or tell them the id of this participant, so that they can put it on its list.`
        : `The ${placeTitle(place)} is for those on its list. Tell the operator the id of this participant, so that they can put it there.`,
    );
  }

  /**
   * Admits a participant by an invitation, where the place would refuse it otherwise. Resolves when that is on disk.
   *
   * @throws CoppiceError `participant-banned`, `run-not-admitted`; `invitation-invalid`: then no use of it is spent.
   */
  async come(participant: string, place: string, secret: string): Promise<void> {
    await this.#exclusively(async () => {
      const refusal = this.refusal(participant, place);
      if (refusal === null) return;
      if (refusal.code !== 'run-not-admitted' || this.of(place) !== 'invited') throw refusal;
      const use = { hash: hashOf(secret), run: place, participant, at: this.#clock.now() };
      const record = await this.#storage.useRunInvitation(use);
      if (record === null)
        throw new CoppiceError(
          'invitation-invalid',
          `This invitation does not open the ${placeTitle(place)}: it is another one's, was revoked, is too old, or was used as often as it may be. Ask the operator for another.`,
        );
      this.#listOf(place).set(participant, record);
    });
  }

  // ---- what operators do

  /** Enforces the admission that a new run was stored with. Call before the run receives messages. */
  begin(run: string, admission: Admission): void {
    this.#admissions.set(run, admission);
  }

  /** @param keep participants to list first, so that they stay. */
  async change(
    place: string,
    admission: Admission,
    { keep, by }: { keep: readonly string[]; by: string },
  ): Promise<void> {
    await this.#exclusively(async () => {
      await this.#add(place, keep, { note: '', by });
      await this.#set(place, admission);
    });
    this.#tightened();
  }

  async #set(place: string, admission: Admission): Promise<void> {
    await this.#storage.setAdmission(place, admission);
    this.#admissions.set(place, admission);
  }

  /** @returns the invitation and its secret, which is not stored. */
  async invite(
    place: string,
    { label = '', days = null, uses = null }: CreateRunInvitation,
    by: string,
  ): Promise<{ secret: string; invitation: RunInvitation }> {
    const secret = newSecret(INVITATION);
    const now = this.#clock.now();
    const invitation = {
      id: newId(),
      run: place,
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
  async revoke(place: string, id: string, remove: boolean): Promise<RunInvitation> {
    const revoked = await this.#exclusively(async () => {
      await this.#invitation(place, id);
      await this.#storage.revokeRunInvitation(id, this.#clock.now());
      if (remove) {
        const came = [...this.#listOf(place).values()].filter(({ invitation }) => invitation === id);
        await this.#takeOff(
          place,
          came.map(({ participant }) => participant),
        );
      }
      return this.#invitation(place, id);
    });
    if (remove) this.#tightened();
    return shownInvitation(revoked);
  }

  async #invitation(place: string, id: string): Promise<RunInvitationRecord> {
    const found = (await this.#storage.runInvitations(place)).find((one) => one.id === id);
    if (found === undefined)
      throw new CoppiceError('not-found', `The ${placeTitle(place)} has no such invitation.`);
    return found;
  }

  /** @returns the number of newly listed participants. */
  list(
    place: string,
    participants: readonly string[],
    { note, by }: { note: string; by: string },
  ): Promise<number> {
    return this.#exclusively(() => this.#add(place, participants, { note, by }));
  }

  async #add(
    place: string,
    participants: readonly string[],
    { note, by }: { note: string; by: string },
  ): Promise<number> {
    const list = this.#listOf(place);
    const createdAt = this.#clock.now();
    const added = [...new Set(participants)]
      .filter((participant) => !list.has(participant))
      .map((participant) => ({ run: place, participant, invitation: null, note, by, createdAt }));
    await this.#storage.list(added);
    for (const record of added) list.set(record.participant, record);
    return added.length;
  }

  /** @throws CoppiceError `not-found` */
  async unlist(place: string, participant: string): Promise<ListedParticipant> {
    const gone = await this.#exclusively(async () => {
      const record = this.#listOf(place).get(participant);
      if (record === undefined)
        throw new CoppiceError(
          'not-found',
          `The participant is not on the list of the ${placeTitle(place)}.`,
        );
      await this.#takeOff(place, [participant]);
      return record;
    });
    this.#tightened();
    return shownListed(gone);
  }

  async #takeOff(place: string, participants: readonly string[]): Promise<void> {
    await this.#storage.unlist(place, participants);
    for (const participant of participants) this.#listOf(place).delete(participant);
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

  async describe(place: string): Promise<RunAdmission> {
    return {
      admission: this.of(place),
      invitations: (await this.#storage.runInvitations(place)).map(shownInvitation),
      listed: [...this.#listOf(place).values()].reverse().map(shownListed),
      bans: this.bans().filter((ban) => ban.run === null || ban.run === place),
    };
  }

  #putBan(ban: Ban): void {
    this.#bans.set(ban.id, ban);
    this.#bansOf.set(ban.participant, [...(this.#bansOf.get(ban.participant) ?? []), ban]);
  }

  #listOf(place: string): Map<string, ListedRecord> {
    let list = this.#listed.get(place);
    if (list === undefined) {
      list = new Map();
      this.#listed.set(place, list);
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
