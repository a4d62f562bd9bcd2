import {
  CoppiceError,
  type Join,
  type ParticipantRow,
  type Progress,
  type WireError,
} from '@coppice/protocol';

/*
 * Anybody can join an open run under a new identity and go again, so those who are gone are remembered up to
 * a number: who delivered before, for its count of rounds, and who never did, for the admin to see.
 */
export const GONE_THAT_DELIVERED = 10_000;
export const GONE_WITHOUT_A_TRACE = 200;

/** A member of a run. Kept for a while after leaving, so that the admin sees it. */
export interface Member {
  readonly id: string;
  device: Join['device'];
  backend: string;
  examples: number;
  speed: number | null;
  paused: boolean;
  /** `away`: the connection broke; `left`: the participant left. */
  readonly presence: 'here' | 'away' | 'left';
  progress: number | null;
  roundsDelivered: number;
  roundsMissed: number;
  lastSeenAt: number;
  lastError: WireError | null;
  /** The hash of the model that it has, as far as known; `undefined`: it stores none. */
  has: string | null | undefined;
}

/** The participants of one run. */
export class Members {
  readonly #members = new Map<string, Member & { presence: Member['presence'] }>();
  /** Members that are away or left, by past delivery; the earliest first. */
  readonly #gone = { delivered: new Set<string>(), never: new Set<string>() };

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** @throws CoppiceError `not-joined` */
  joined(id: string): Member {
    const member = this.#members.get(id);
    if (member !== undefined) return member;
    throw new CoppiceError(
      'not-joined',
      'This participant has not joined the run on this coordinator. Join, then go on.',
    );
  }

  all(): Iterable<Member> {
    return this.#members.values();
  }

  join(id: string, join: Join, now: number): Member {
    const before = this.#members.get(id);
    const member: Member = {
      id,
      device: join.device,
      backend: join.backend,
      examples: join.examples,
      speed: join.speed ?? before?.speed ?? null,
      paused: join.paused,
      presence: 'here',
      progress: null,
      roundsDelivered: before?.roundsDelivered ?? 0,
      roundsMissed: before?.roundsMissed ?? 0,
      lastSeenAt: now,
      lastError: before?.lastError ?? null,
      has: join.has,
    };
    this.#members.set(id, member);
    this.#notGone(id);
    return member;
  }

  /** Marks a reconnected member as present, unless it left: then it must join. */
  returned(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined || member.presence === 'left') return;
    member.presence = 'here';
    this.#notGone(id);
  }

  /**
   * Marks a member as away or left.
   *
   * @param needed true for members that the open round refers to, which are not forgotten.
   */
  went(id: string, how: 'away' | 'left', now: number, needed: (id: string) => boolean): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.presence = how;
    member.progress = null;
    member.lastSeenAt = now;
    this.#notGone(id);
    if (member.roundsDelivered > 0) this.#keep(id, this.#gone.delivered, GONE_THAT_DELIVERED, needed);
    else this.#keep(id, this.#gone.never, GONE_WITHOUT_A_TRACE, needed);
  }

  #keep(id: string, gone: Set<string>, most: number, needed: (id: string) => boolean): void {
    gone.add(id);
    for (const first of gone) {
      if (gone.size <= most) break;
      if (needed(first)) continue;
      gone.delete(first);
      this.#members.delete(first);
    }
  }

  #notGone(id: string): void {
    this.#gone.delivered.delete(id);
    this.#gone.never.delete(id);
  }

  /** The hash of the model that a participant has; `null`: none known. */
  has(id: string): string | null {
    return this.#members.get(id)?.has ?? null;
  }

  /** Records that a model is being sent to a member that may store it. */
  receives(id: string, model: string): void {
    const member = this.#members.get(id);
    if (member !== undefined && member.has !== undefined) member.has = model;
  }

  /** Present members with data that are not paused, with the number of examples that each announced. */
  available(): Map<string, number> {
    const found = new Map<string, number>();
    for (const member of this.#members.values())
      if (isAvailable(member)) found.set(member.id, member.examples);
    return found;
  }

  /** Number of available members, counted without building the map, since every join asks for it. */
  get availableCount(): number {
    let count = 0;
    for (const member of this.#members.values()) if (isAvailable(member)) count++;
    return count;
  }

  /** Ids of present members, paused or not, which receive messages. */
  here(): string[] {
    const ids: string[] = [];
    for (const member of this.#members.values()) if (member.presence === 'here') ids.push(member.id);
    return ids;
  }

  /**
   * Number of members that a strategy counts as the run's: those that are available, and those that delivered before and
   * have not left. Whoever never trains is none of them.
   */
  get joinedCount(): number {
    let count = 0;
    for (const member of this.#members.values())
      if (isAvailable(member) || (member.roundsDelivered > 0 && member.presence !== 'left')) count++;
    return count;
  }

  get hereCount(): number {
    let count = 0;
    for (const { presence } of this.#members.values()) if (presence === 'here') count++;
    return count;
  }
}

function isAvailable({ presence, paused, examples }: Member): boolean {
  return presence === 'here' && !paused && examples > 0;
}

/** Completed share of a training, 0–1. */
export function progressShare({ stage, epoch, epochs, step, steps }: Progress): number {
  if (stage === 'receiving' || stage === 'evaluating') return 0;
  if (stage === 'sending') return 1;
  if (steps === 0 || epochs === 0) return 0;
  return Math.min(1, Math.max(0, (epoch - 1 + step / steps) / epochs));
}

/** Lower bound of an example count's bucket, for the admin: exact counts stay between participant and aggregation. */
export function examplesBucket(examples: number): number {
  return examples < 1 ? 0 : 10 ** Math.floor(Math.log10(examples));
}

export function memberState(
  member: Member,
  inRound: 'training' | 'delivered' | null,
): ParticipantRow['state'] {
  if (member.presence !== 'here') return member.presence;
  if (inRound !== null) return inRound;
  return member.paused ? 'paused' : 'ready';
}
