import type { Firing, PeriodSummary, PolicyInfo, WatchedPeriod, WatchInfo } from '@coppice/protocol';
import { useEffect, useState } from 'preact/hooks';
import * as api from '../live/continuity-api.ts';
import { connection, state } from '../live/live.ts';
import { joinPeriods } from '../monitoring/period-lines.ts';
import { act } from './act.ts';

/** Periods that are fetched again when something happens: a period ends seldom, and most of them quietly. */
const NEWEST = 10;
const EVERY_MILLISECONDS = 60_000;

/** A number that grows whenever a task may have changed: with its events and every minute; 0 while there is no connection. */
export function useChanges(task: string): number {
  const live = connection.value === 'live';
  const last = state.value.events.findLast(({ data }) => data?.['task'] === task)?.id ?? 0;
  const [minutes, setMinutes] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setMinutes((before) => before + 1);
    }, EVERY_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  return live ? 1 + last + minutes : 0;
}

/** Fetches when the number of changes, or the key, is another one. What was there stays where that fails. */
function useFetched<T>(fetchIt: () => Promise<T>, key: string, changes: number): T | null {
  const [value, setValue] = useState<T | null>(null);
  useEffect(() => {
    if (changes === 0) return;
    let current = true;
    fetchIt().then(
      (found) => {
        if (current) setValue(found);
      },
      // The next change asks again.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [key, changes]);
  return value;
}

export interface LivePeriods {
  /** Newest first; null until they are fetched. */
  readonly periods: readonly PeriodSummary[] | null;
  /** Fetches earlier ones; null where there are none. */
  readonly more: (() => void) | null;
}

/** The periods of a task. @param changes of `useChanges`. */
export function usePeriods(task: string, changes: number): LivePeriods {
  const [periods, setPeriods] = useState<readonly PeriodSummary[] | null>(null);
  const [isAll, setIsAll] = useState(false);
  useEffect(() => {
    if (changes === 0) return;
    let current = true;
    const isFirst = periods === null;
    api.fetchSummaries(task, isFirst ? {} : { limit: NEWEST }).then(
      (page) => {
        if (!current) return;
        setPeriods((known) => joinPeriods(known ?? [], page));
        // A first page that goes back to period 0 has all; others are asked for.
        if (isFirst) setIsAll(page.length === 0 || page.at(-1)?.period === 0);
      },
      () => {},
    );
    return () => {
      current = false;
    };
  }, [task, changes]);
  const more = () =>
    void act(async () => {
      const before = periods?.at(-1)?.period;
      const page = await api.fetchSummaries(task, before === undefined ? {} : { before });
      setPeriods((known) => joinPeriods(known ?? [], page));
      setIsAll(page.length === 0 || page.at(-1)?.period === 0);
    });
  return { periods, more: isAll || periods === null ? null : more };
}

/** One period with its distributions: it never changes. Null until it is fetched, and where there is none. */
export function usePeriod(task: string, period: number | null): WatchedPeriod | null {
  const found = useFetched(
    async () => (period === null ? null : api.fetchPeriod(task, period)),
    `${task} ${period}`,
    connection.value === 'live' ? 1 : 0,
  );
  return found?.period === period ? found : null;
}

/** @param changes of `useChanges`; a constant to fetch it once. */
export function useWatch(task: string, changes: number): WatchInfo | null {
  return useFetched(() => api.fetchWatch(task), task, changes);
}

/**
 * The reference that a period was held against: that of now, or that of its release. Null until it is fetched, and where it is not
 * there, as of a task that was watched anew with a release.
 */
export function useReference(watch: WatchInfo | null, period: WatchedPeriod): WatchInfo['reference'] {
  const { task, release, reference: identity } = period;
  const isNow = watch?.reference?.identity === identity;
  const isEarlier = watch !== null && !isNow && release !== null;
  const fetched = useFetched(
    () => api.fetchReference(task, release ?? 0),
    `${task} ${release}`,
    isEarlier ? 1 : 0,
  );
  if (isNow) return watch.reference;
  return fetched?.identity === identity ? fetched : null;
}

export function usePolicy(task: string, changes: number): PolicyInfo | null {
  return useFetched(() => api.fetchPolicy(task), task, changes);
}

export interface LiveFirings {
  /** Newest first; null until they are fetched. */
  readonly firings: readonly Firing[] | null;
  /** Runs an action, and shows the firings as they are then, also where it failed. */
  readonly reload: (work: () => Promise<unknown>) => void;
  /** Fetches earlier ones; null where there are none. */
  readonly more: (() => void) | null;
}

export function useFirings(task: string, changes: number): LiveFirings {
  const [firings, setFirings] = useState<readonly Firing[] | null>(null);
  const show = (page: readonly Firing[]) => setFirings((known) => withNewest(known ?? [], page));
  useEffect(() => {
    if (changes === 0) return;
    let current = true;
    api.fetchFirings(task).then(
      (page) => {
        if (current) show(page);
      },
      () => {},
    );
    return () => {
      current = false;
    };
  }, [task, changes]);
  const reload = (work: () => Promise<unknown>) =>
    void act(async () => {
      try {
        await work();
      } finally {
        show(await api.fetchFirings(task));
      }
    });
  const more = () =>
    void act(async () => {
      const earlier = await api.fetchFirings(task, firings?.at(-1)?.sequence);
      setFirings((known) => [...(known ?? []), ...earlier]);
    });
  return { firings, reload, more: (firings?.at(-1)?.sequence ?? 1) > 1 ? more : null };
}

/** Firings as they are now, newest first, before those that were fetched of earlier pages. */
function withNewest(known: readonly Firing[], page: readonly Firing[]): readonly Firing[] {
  const oldest = page.at(-1)?.sequence ?? 0;
  return [...page, ...known.filter(({ sequence }) => sequence < oldest)];
}
