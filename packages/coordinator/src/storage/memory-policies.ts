import type { PolicyStorage, StoredPolicy } from './policy-storage.ts';
import { policyConflict } from './storage-error.ts';

/** The policies' part of `memoryStorage`. */
export function memoryPolicies(): PolicyStorage {
  /** By task, in the order of versions. */
  const versions = new Map<string, StoredPolicy[]>();
  const of = (task: string) => versions.get(task) ?? [];
  return {
    async policy(task) {
      return structuredClone(of(task).at(-1) ?? null);
    },
    async policyVersion(task, version) {
      return structuredClone(of(task)[version - 1] ?? null);
    },
    async putPolicy({ expected, ...policy }) {
      const last = of(policy.task).at(-1) ?? null;
      if ((last?.version ?? null) !== expected) throw policyConflict(policy.task, last);
      const saved = structuredClone({ ...policy, version: (expected ?? 0) + 1 });
      versions.set(policy.task, [...of(policy.task), saved]);
      return structuredClone(saved);
    },
  };
}
