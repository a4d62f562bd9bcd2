import type { Arm } from '@coppice/continuity';
import type { Release, ReleaseNews } from '@coppice/protocol';
import type { Audience } from '../rounds/audience.ts';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import type { ReleaseStorage } from '../storage/release-storage.ts';
import type { Offers } from '../watch/offers.ts';
import { armIn, armOf, type Canaries, type Canary } from './arms.ts';
import type { Releases } from './releases.ts';

export interface ReleaseAnnouncerOptions {
  readonly storage: Pick<ReleaseStorage, 'lastRelease'>;
  /** Moves are told after those that subscribed earlier: canaries are up to date then. */
  readonly releases: Pick<Releases, 'subscribe'>;
  readonly canaries: Canaries;
  readonly offers: Offers;
  readonly admissions: Pick<Admissions, 'refusal'>;
  readonly audience: Pick<Audience, 'send'>;
}

type Named = ReleaseNews['production'];

/**
 * Tells participants which checkpoints the channels of their tasks name, and their arm of a canary: those that monitor the task
 * at once and when a channel moves, all others of a canary in their welcome.
 */
export class ReleaseAnnouncer {
  readonly #o: ReleaseAnnouncerOptions;
  readonly #production = new Map<string, Named>();
  /** The ends of subscriptions, by task, and of that to moves. */
  readonly #offers = new Map<string, () => void>();
  readonly #endMoves: () => void;

  constructor(options: ReleaseAnnouncerOptions) {
    this.#o = options;
    this.#endMoves = options.releases.subscribe((move) => this.#moved(move));
  }

  /** Reads what production names. Call before participants come. @throws CoppiceError `storage-failed` */
  async recover(tasks: readonly string[]): Promise<void> {
    for (const task of tasks) {
      const last = await this.#o.storage.lastRelease(task, 'production');
      if (last !== null) this.#follow(last);
    }
  }

  /** News for the welcome of a participant: of tasks that admit it, with a canary that it has an arm of; `undefined` where there are none. */
  welcome(participant: string): ReleaseNews[] | undefined {
    const news: ReleaseNews[] = [];
    for (const [task, canary] of this.#o.canaries.all()) {
      const arm = armOf(canary, participant);
      if (arm === 'none' || this.#o.admissions.refusal(participant, taskPlace(task)) !== null) continue;
      news.push(this.#news(task, canary, arm));
    }
    return news.length === 0 ? undefined : news;
  }

  stop(): void {
    this.#endMoves();
    for (const end of this.#offers.values()) end();
  }

  #moved(move: Release): void {
    const { task, channel } = move;
    if (channel === 'candidate') return;
    if (channel === 'production') this.#follow(move);
    this.#tell(task, this.#o.offers.of(task));
  }

  #follow({ task, sequence, checkpoint, hash }: Release): void {
    this.#production.set(task, checkpoint === null || hash === null ? null : { sequence, checkpoint, hash });
    if (this.#offers.has(task)) return;
    // Moves that were made while it was away are news to it.
    this.#offers.set(
      task,
      this.#o.offers.on(task, (participant) => this.#tell(task, [participant])),
    );
  }

  /** One message for all of an arm: it is encoded once. */
  #tell(task: string, participants: readonly string[]): void {
    const canary = this.#o.canaries.of(task);
    const arms = Map.groupBy(participants, (participant) => armIn(this.#o.canaries, task, participant));
    for (const [arm, of] of arms) this.#o.audience.send(of, 'release', this.#news(task, canary, arm));
  }

  #news(task: string, canary: Canary | null, arm: Arm): ReleaseNews {
    const production = this.#production.get(task) ?? null;
    if (canary === null) return { task, production, canary: null };
    const { sequence, checkpoint, hash } = canary;
    return { task, production, canary: { sequence, checkpoint, hash, arm } };
  }
}
