import {
  FIRINGS_A_PAGE,
  type FiringStorage,
  type StoredFiring,
  StoredFiringSchema,
} from './firing-storage.ts';
import type { Spending } from './reference-storage.ts';
import { firingChanged, firingOpen } from './storage-error.ts';

/** The firings' part of `memoryStorage`. */
export function memoryFirings(spend: (task: string, spending: Spending | null) => void): FiringStorage {
  /** By task, in their order. */
  const all = new Map<string, StoredFiring[]>();
  const of = (task: string) => all.get(task) ?? [];
  const open = () => [...all.values()].flat().filter(({ state }) => state !== 'ended');

  return {
    async addFiring(given) {
      const { task } = given;
      if (of(task).some(({ state }) => state !== 'ended')) throw firingOpen(task);
      const made = checked({ ...given, sequence: of(task).length + 1, revision: 1 });
      all.set(task, [...of(task), made]);
      return structuredClone(made);
    },
    async putFiring(given, spending = null) {
      const { task, sequence, revision } = given;
      const stored = of(task)[sequence - 1];
      if (stored?.revision !== revision) throw firingChanged(task, sequence);
      const made = checked({ ...given, revision: revision + 1 });
      all.set(
        task,
        of(task).map((one) => (one === stored ? made : one)),
      );
      spend(task, spending);
      return structuredClone(made);
    },
    async openFiring(task) {
      return structuredClone(open().find((one) => one.task === task) ?? null);
    },
    async openFirings() {
      return structuredClone(open().sort((a, b) => (a.task < b.task ? -1 : 1)));
    },
    async firings(task, { before = Number.POSITIVE_INFINITY, limit = FIRINGS_A_PAGE } = {}) {
      const found = of(task).filter(({ sequence }) => sequence < before);
      return structuredClone(found.reverse().slice(0, limit));
    },
  };
}

/** A copy, read as strictly as a database's. */
function checked(firing: StoredFiring): StoredFiring {
  return StoredFiringSchema.parse(structuredClone(firing));
}
