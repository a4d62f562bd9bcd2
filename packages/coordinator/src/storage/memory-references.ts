import type { ReferenceStorage, Spending, StoredReference } from './reference-storage.ts';

/** The part of `memoryStorage` for references, the ledger and secrets. */
export function memoryReferences(): {
  readonly references: ReferenceStorage;
  /** Counts the cost of an exchange, once. */
  readonly spend: (task: string, spending: Spending | null) => void;
} {
  const known = new Map<string, StoredReference>();
  const spent = new Map<string, Map<string, number>>();
  const secrets = new Map<string, string>();
  const keyOf = (task: string, release: number) => `${task}/${release}`;
  const spend = (task: string, spending: Spending | null) => {
    if (spending === null) return;
    const of = spent.get(task) ?? new Map<string, number>();
    if (!of.has(spending.exchange)) of.set(spending.exchange, spending.rho);
    spent.set(task, of);
  };
  const references: ReferenceStorage = {
    async reference(task, release) {
      return structuredClone(known.get(keyOf(task, release)) ?? null);
    },
    async putReference(reference, spending) {
      const key = keyOf(reference.task, reference.release);
      if ((known.get(key)?.reference ?? null) === null) known.set(key, structuredClone(reference));
      spend(reference.task, spending);
    },
    async spentRho(task) {
      return [...(spent.get(task)?.values() ?? [])].reduce((sum, rho) => sum + rho, 0);
    },
    async watchSecret(task, fresh) {
      const secret = secrets.get(task) ?? fresh;
      secrets.set(task, secret);
      return secret;
    },
  };
  return { references, spend };
}
