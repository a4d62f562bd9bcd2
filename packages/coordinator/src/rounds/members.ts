import type { Join, ParticipantRow, Progress, WireError } from '@coppice/protocol';

/** Someone who joined a run. Kept after leaving, so that the admin sees who was there. */
export interface Member {
  readonly id: string;
  device: Join['device'];
  backend: string;
  examples: number;
  speed: number | null;
  paused: boolean;
  /** `away`: the connection broke; `left`: said so. */
  presence: 'here' | 'away' | 'left';
  progress: number | null;
  roundsDelivered: number;
  roundsMissed: number;
  lastSeenAt: number;
  lastError: WireError | null;
  /** The hash of the model that it has, as far as is known; `undefined`: it keeps none. */
  has: string | null | undefined;
}

/** The participants of one run. */
export class Members {
  readonly #members = new Map<string, Member>();

  get(id: string): Member | undefined {
    return this.#members.get(id);
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
    return member;
  }

  /** Those of some who have the same model, by its hash; `null`: none that is known. They are about to be sent another. */
  byModel(ids: Iterable<string>, next: string): Map<string | null, string[]> {
    const groups = new Map<string | null, string[]>();
    for (const id of ids) {
      const has = this.#members.get(id)?.has ?? null;
      const group = groups.get(has);
      if (group === undefined) groups.set(has, [id]);
      else group.push(id);
      this.receives(id, next);
    }
    return groups;
  }

  /** A model is on its way to one who may keep it. */
  receives(id: string, model: string): void {
    const member = this.#members.get(id);
    if (member !== undefined && member.has !== undefined) member.has = model;
  }

  /** Who is here, with data and not paused: who may be selected. */
  available(): string[] {
    const ids: string[] = [];
    for (const member of this.#members.values()) if (isAvailable(member)) ids.push(member.id);
    return ids;
  }

  /** How many that are. Counted anew: asked thousands of times, by each that joins. */
  get availableCount(): number {
    let count = 0;
    for (const member of this.#members.values()) if (isAvailable(member)) count++;
    return count;
  }

  /** Who is here, paused or not: who hears of things. */
  here(): string[] {
    const ids: string[] = [];
    for (const member of this.#members.values()) if (member.presence === 'here') ids.push(member.id);
    return ids;
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

/** The share of a training that is done, 0–1. */
export function progressShare({ stage, epoch, epochs, step, steps }: Progress): number {
  if (stage === 'receiving' || stage === 'evaluating') return 0;
  if (stage === 'sending') return 1;
  if (steps === 0 || epochs === 0) return 0;
  return Math.min(1, Math.max(0, (epoch - 1 + step / steps) / epochs));
}

/** Exact example counts stay between participant and aggregation; the admin sees a bucket's lower bound. */
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
