import type { Policy } from '@coppice/continuity';
import type { Cause } from '@coppice/protocol';

/** A version of a task's policy. */
export interface StoredPolicy {
  readonly task: string;
  /** From 1 without gaps. */
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: Cause;
  /** Null: the task is not watched from then on. */
  readonly policy: Policy | null;
}

/** A policy to be saved. Storage gives it its version. */
export interface NewPolicy extends Omit<StoredPolicy, 'version'> {
  /** The version that its author knows; null: none. */
  readonly expected: number | null;
}

/** The part of `Storage` for tasks' policies. No version is changed or deleted. */
export interface PolicyStorage {
  /** The version that holds now; null: none was ever saved. */
  policy(task: string): Promise<StoredPolicy | null>;
  /** Null where there is no such version. */
  policyVersion(task: string, version: number): Promise<StoredPolicy | null>;
  /** Saves the next version. @throws CoppiceError `policy-conflict` where the last one is another than the expected one. */
  putPolicy(policy: NewPolicy): Promise<StoredPolicy>;
}
