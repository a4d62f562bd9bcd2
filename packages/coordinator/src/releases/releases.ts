import type { Clock } from '@coppice/ports';
import {
  type Cause,
  type Channel,
  type CheckpointId,
  CoppiceError,
  channels,
  type Json,
  partsOfCheckpointId,
  type Release,
  type Releases as ReleasesInfo,
  type Task,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { EventLog } from '../monitoring/event-log.ts';
import { fittingCheckpoint } from '../registry/fitting-checkpoint.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { ReleasePage } from '../storage/release-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { releaseConflict } from '../storage/storage-error.ts';

export interface ReleasesOptions {
  readonly storage: Storage;
  readonly tasks: Tasks;
  readonly models: ModelWorker;
  readonly events: Pick<EventLog, 'add'>;
  readonly clock: Clock;
}

/** The author of a move, and what the author knows. */
interface Authored {
  /** Number of the channel's last move; null: none. */
  readonly expected: number | null;
  readonly reason: string;
  readonly by: Cause;
}

/** A move as its author asks for it. */
export interface AskedMove extends Authored {
  /** Null empties the channel. */
  readonly checkpoint: CheckpointId | null;
  readonly evidence?: Json;
}

/** The channels of tasks: each names a checkpoint, and every move is on record. */
export class Releases {
  readonly #o: ReleasesOptions;
  readonly #listeners = new Set<(release: Release) => void>();

  constructor(options: ReleasesOptions) {
    this.#o = options;
  }

  /** Calls back after every move, once it is stored. Returns the end of it. */
  subscribe(moved: (release: Release) => void): () => void {
    this.#listeners.add(moved);
    return () => void this.#listeners.delete(moved);
  }

  /**
   * The last move of a channel; null where it was never moved.
   *
   * @param time milliseconds since the epoch; left out: now.
   * @throws CoppiceError `task-unknown`
   */
  async at(task: string, channel: Channel, time?: number): Promise<Release | null> {
    return this.#o.storage.lastRelease(this.#o.tasks.get(task).id, channel, time);
  }

  /**
   * The channels of a task, now or at a time, what an undo would lead to now, and a page of its moves.
   *
   * @throws CoppiceError `task-unknown`
   */
  async history(
    task: string,
    { at, ...page }: ReleasePage & { readonly at?: number },
  ): Promise<ReleasesInfo> {
    const releases = await this.#o.storage.releases(this.#o.tasks.get(task).id, page);
    const [candidate = null, canary = null, production = null] = await Promise.all(
      channels.map((channel) => this.at(task, channel, at)),
    );
    const last = at === undefined ? production : await this.at(task, 'production');
    const undo = last === null ? null : ((await this.#standing(last))?.before ?? null);
    return { channels: { candidate, canary, production }, undo, releases };
  }

  /**
   * Moves a channel to a committed checkpoint of the task, or empties it.
   *
   * @throws CoppiceError `task-unknown`; `release-conflict` where the channel's last move is another than the expected
   *   one; `release-refused` for initial weights, a move to what the channel names already, and an emptied production;
   *   `checkpoint-unknown`, `checkpoint-mismatch` where the checkpoint cannot be used.
   */
  async move(taskId: string, channel: Channel, { evidence = null, ...asked }: AskedMove): Promise<Release> {
    const task = this.#o.tasks.get(taskId);
    await this.#expected(task, channel, asked.expected);
    return this.#record(task, channel, { ...asked, evidence, undoes: null });
  }

  /**
   * Takes the last release of production back: of its moves, the last one that was not taken back and is no taking back
   * itself. Production names again what it named before that one.
   *
   * @throws CoppiceError `task-unknown`; `release-conflict` as `move`; `release-refused` where production named no
   *   checkpoint before; `checkpoint-unknown`, `checkpoint-mismatch` where that one cannot be used any more.
   */
  async undo(taskId: string, asked: Authored): Promise<Release> {
    const task = this.#o.tasks.get(taskId);
    const last = await this.#expected(task, 'production', asked.expected);
    const undone = last === null ? null : await this.#standing(last);
    if (undone === null || undone.before === null)
      throw refused(
        `There is no release of "${task.id}" to take back: production ${last === null ? 'names no checkpoint yet' : `named no checkpoint before ${last.checkpoint}`}. Move it to another checkpoint instead.`,
      );
    const { before: checkpoint, sequence: undoes } = undone;
    return this.#record(task, 'production', { ...asked, checkpoint, evidence: null, undoes });
  }

  /** The checkpoint that a channel names. @throws CoppiceError `checkpoint-unknown` where it names none. */
  async checkpointOf(taskId: string, channel: Channel): Promise<CheckpointId> {
    const task = this.#o.tasks.get(taskId);
    const id = (await this.at(task.id, channel))?.checkpoint ?? null;
    if (id !== null) return id;
    throw new CoppiceError(
      'checkpoint-unknown',
      `The channel ${channel} of "${task.id}" names no checkpoint. Release one to it, or name a checkpoint as <run>/<round>.`,
    );
  }

  async #expected(task: Task, channel: Channel, expected: number | null): Promise<Release | null> {
    const last = await this.at(task.id, channel);
    if ((last?.sequence ?? null) !== expected) throw releaseConflict(task.id, channel, last);
    return last;
  }

  /** The move that a state of a channel stands on: itself or, where it took one back, the one before that. */
  async #standing(move: Release): Promise<Release | null> {
    let standing: Release | null = move;
    while (standing !== null && standing.undoes !== null)
      standing = await this.#before(standing.task, standing.channel, standing.undoes);
    return standing;
  }

  /** The move of a channel before one of its moves. */
  async #before(task: string, channel: Channel, sequence: number): Promise<Release | null> {
    const page = { channel, before: sequence, limit: 1 };
    return (await this.#o.storage.releases(task, page))[0] ?? null;
  }

  /** Storage has the last word on the expected move, and on the checkpoint. */
  async #record(
    task: Task,
    channel: Channel,
    move: Authored & { checkpoint: CheckpointId | null; evidence: Json; undoes: number | null },
  ): Promise<Release> {
    const { storage, clock, events } = this.#o;
    await this.#ensureMovable(task, channel, move.checkpoint);
    const release = await storage.moveChannel({ ...move, task: task.id, channel, at: clock.now() });
    const { sequence, checkpoint, before, undoes, by, reason } = release;
    events.add({
      run: checkpoint === null ? null : partsOfCheckpointId(checkpoint).run,
      round: null,
      level: 'info',
      kind: 'release-moved',
      data: {
        task: task.id,
        channel,
        sequence,
        checkpoint,
        before,
        undone: undoes !== null,
        by: by.name,
        ...(by.by === 'trigger' ? { firing: by.firing } : {}),
        reason,
      },
    });
    for (const moved of this.#listeners) moved(release);
    return release;
  }

  async #ensureMovable(task: Task, channel: Channel, to: CheckpointId | null): Promise<void> {
    const { storage, models } = this.#o;
    const named = (await this.at(task.id, channel))?.checkpoint ?? null;
    if (to === named)
      throw refused(
        `The channel ${channel} of "${task.id}" names ${to ?? 'no checkpoint'} already, so there is nothing to move.`,
      );
    if (to === null) {
      if (channel === 'production')
        throw refused(
          `Production of "${task.id}" always names a checkpoint once it has named one: pages predict with it. Move it to another checkpoint, or take the last release back.`,
        );
      return;
    }
    const { checkpoint } = await fittingCheckpoint(to, { task, storage, models });
    if (checkpoint.round === 0)
      throw refused(
        `The checkpoint ${to} holds the initial weights of a run, which no round has trained and measured. Release a committed round, from 1 on.`,
      );
  }
}

function refused(why: string): CoppiceError {
  return new CoppiceError('release-refused', why);
}
