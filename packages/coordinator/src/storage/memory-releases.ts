import { type Channel, type Checkpoint, type CheckpointId, channels, type Release } from '@coppice/protocol';
import { RELEASES_A_PAGE, type ReleaseStorage } from './release-storage.ts';
import { storable } from './storable-text.ts';
import { checkpointGone, releaseConflict } from './storage-error.ts';

/** The releases' part of `memoryStorage`. */
export function memoryReleases(find: (id: CheckpointId) => Checkpoint | undefined): {
  readonly releases: ReleaseStorage;
  /** The checkpoints that channels of a task name now or, where a time is given, named then or later. */
  readonly since: (task: string, at?: number) => Set<CheckpointId>;
} {
  /** By task, in the order of moves. */
  const moves = new Map<string, Release[]>();
  const of = (task: string) => moves.get(task) ?? [];
  const last = (task: string, channel: Channel, at = Number.POSITIVE_INFINITY) =>
    of(task).findLast((move) => move.channel === channel && move.at <= at) ?? null;

  const releases: ReleaseStorage = {
    async moveChannel({ expected, ...move }) {
      const { task, channel, checkpoint: id, reason } = move;
      const before = last(task, channel);
      if ((before?.sequence ?? null) !== expected) throw releaseConflict(task, channel, before);
      const checkpoint = id === null ? null : find(id);
      if (id !== null && checkpoint?.task !== task) throw checkpointGone(id);
      const made: Release = structuredClone({
        ...move,
        reason: storable(reason),
        sequence: of(task).length + 1,
        hash: checkpoint?.hash ?? null,
        before: before?.checkpoint ?? null,
      });
      moves.set(task, [...of(task), made]);
      return structuredClone(made);
    },
    async lastRelease(task, channel, at) {
      return structuredClone(last(task, channel, at));
    },
    async release(task, sequence) {
      return structuredClone(of(task)[sequence - 1] ?? null);
    },
    async releases(task, { channel, after, before, limit = RELEASES_A_PAGE }) {
      const found = of(task).filter(
        (move) =>
          (channel === undefined || move.channel === channel) &&
          move.sequence > (after ?? 0) &&
          move.sequence < (before ?? Number.POSITIVE_INFINITY),
      );
      return structuredClone((after === undefined ? found.reverse() : found).slice(0, limit));
    },
  };
  const since = (task: string, at = Number.POSITIVE_INFINITY) => {
    const lately = of(task).filter((move) => move.at >= at);
    const named = lately.flatMap(({ checkpoint, before }) => [checkpoint, before]);
    for (const channel of channels) named.push(last(task, channel)?.checkpoint ?? null);
    return new Set(named.filter((id) => id !== null));
  };
  return { releases, since };
}
