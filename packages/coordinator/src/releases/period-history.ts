import type { WatchedPeriod } from '@coppice/protocol';
import type { PeriodStorage } from '../storage/period-storage.ts';
import { type LookedAtPeriod, lookedAt } from './firing-evidence.ts';

/** Periods read at once. */
const PAGE = 10;

/** The most periods that are read and kept of a task. */
const MOST = 1000;

/** The newest periods of tasks, without their sums: read from storage where they are needed, and kept. */
export class PeriodHistory {
  readonly #storage: Pick<PeriodStorage, 'periods'>;
  readonly #known = new Map<string, { newestFirst: LookedAtPeriod[]; isAll: boolean }>();

  constructor(storage: Pick<PeriodStorage, 'periods'>) {
    this.#storage = storage;
  }

  /** Adds a period that was stored. One that is known already is left out. */
  async add(period: WatchedPeriod): Promise<void> {
    const { newestFirst } = await this.#of(period.task);
    if ((newestFirst[0]?.period ?? -1) >= period.period) return;
    newestFirst.unshift(lookedAt(period));
    if (newestFirst.length > MOST) newestFirst.pop();
  }

  /** The newest one; null where there is none. */
  async newest(task: string): Promise<LookedAtPeriod | null> {
    return (await this.#of(task)).newestFirst[0] ?? null;
  }

  /** Periods of a task, oldest first: at least those for which `isNeeded`, and `least` of them, as far as there are. */
  async upTo(
    task: string,
    { least, isNeeded }: { least: number; isNeeded: (period: LookedAtPeriod) => boolean },
  ): Promise<LookedAtPeriod[]> {
    const known = await this.#of(task);
    for (;;) {
      const oldest = known.newestFirst.at(-1);
      const isEnough = known.newestFirst.length >= least && (oldest === undefined || !isNeeded(oldest));
      if (isEnough || known.isAll || known.newestFirst.length >= MOST) return known.newestFirst.toReversed();
      await this.#read(task, known);
    }
  }

  async #of(task: string) {
    const known = this.#known.get(task);
    if (known !== undefined) return known;
    const made = { newestFirst: [], isAll: false };
    await this.#read(task, made);
    this.#known.set(task, made);
    return made;
  }

  async #read(task: string, known: { newestFirst: LookedAtPeriod[]; isAll: boolean }): Promise<void> {
    const oldest = known.newestFirst.at(-1);
    const page = await this.#storage.periods(task, {
      limit: PAGE,
      ...(oldest === undefined ? {} : { before: oldest.period }),
    });
    known.newestFirst.push(...page.map(lookedAt));
    known.isAll = page.length < PAGE;
  }
}
