import type { WatchedPeriod } from '@coppice/protocol';
import { PERIODS_A_PAGE, type PeriodStorage } from './period-storage.ts';
import type { Spending } from './reference-storage.ts';

/** The periods' part of `memoryStorage`. */
export function memoryPeriods(spend: (task: string, spending: Spending | null) => void): PeriodStorage {
  const all: WatchedPeriod[] = [];
  return {
    async addPeriod(given, spending = null) {
      const isKnown = all.some(({ task, period }) => task === given.task && period === given.period);
      if (!isKnown) all.push(structuredClone(given));
      spend(given.task, spending);
    },
    async periods(task, { before = Number.POSITIVE_INFINITY, limit = PERIODS_A_PAGE } = {}) {
      const found = all.filter((one) => one.task === task && one.period < before);
      return structuredClone(found.sort((a, b) => b.period - a.period).slice(0, limit));
    },
  };
}
