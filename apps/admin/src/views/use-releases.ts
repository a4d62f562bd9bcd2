import type { Release, Releases } from '@coppice/protocol';
import { useEffect, useState } from 'preact/hooks';
import { connection, state } from '../live/live.ts';
import { fetchReleases } from '../live/releases-api.ts';
import { act } from './act.ts';
import { withPage } from './release-pages.ts';

export interface LiveReleases {
  /** Null until it is fetched. */
  readonly info: Releases | null;
  /** The moves that were fetched, newest first, without gaps. */
  readonly moves: readonly Release[];
  /** Runs an action, and shows the channels as they are then, also where it failed. */
  readonly reload: (work: () => Promise<unknown>) => void;
  /** Fetches the moves before the oldest one. */
  readonly more: () => void;
}

/** Fetches the channels of a task, and again when one is moved, and after a lost connection. */
export function useReleases(task: string): LiveReleases {
  const [info, setInfo] = useState<Releases | null>(null);
  const [moves, setMoves] = useState<readonly Release[]>([]);
  const live = connection.value === 'live';
  const moved = state.value.events.findLast(
    ({ kind, data }) => kind === 'release-moved' && data?.['task'] === task,
  )?.id;
  const show = (found: Releases) => {
    setInfo(found);
    setMoves((known) => withPage(known, found.releases));
  };
  useEffect(() => {
    if (!live) return;
    let current = true;
    fetchReleases(task).then(
      (found) => {
        if (current) show(found);
      },
      // Shown as it was; the next move asks again.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [task, moved, live]);
  const reload = (work: () => Promise<unknown>) =>
    void act(async () => {
      try {
        await work();
      } finally {
        show(await fetchReleases(task));
      }
    });
  const more = () =>
    void act(async () => {
      const { releases } = await fetchReleases(task, moves.at(-1)?.sequence);
      setMoves((known) => withPage(known, releases));
    });
  return { info, moves, reload, more };
}
