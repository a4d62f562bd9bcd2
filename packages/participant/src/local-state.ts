import type { Kept, MadeAnswer } from './train.ts';

/** The metadata of the state that belongs to one answer of this device. */
export interface Version {
  /** The ticket of the answered question: the version's name within its run. */
  readonly ticket: string;
  readonly round: number;
  readonly attempt: number;
  /** Hash of the question's model. */
  readonly model: string;
  /** True once the answer is known to have counted; otherwise it is staged. */
  readonly counted: boolean;
}

/** An answer in storage until its verdict is known. */
export interface KeptAnswer extends MadeAnswer {
  /** L2 norm of the change of the model. */
  readonly norm: number;
}

/**
 * State that a device stores for its runs between questions: for every version the strategy's and the pipeline's state
 * and, while it is staged, the answer itself, so that the same one is sent again. Nothing of it is ever sent on its
 * own.
 *
 * Every change is atomic, and is on disk, where there is one, when it resolves. Every method may throw CoppiceError
 * `storage-full` (nothing was changed) or `storage-failed`.
 */
export interface LocalState {
  /** Versions of a run, in the order of staging. */
  versions(run: string): Promise<readonly Version[]>;
  /** The state of a version; `null` where there is none, or it cannot be read. */
  kept(run: string, ticket: string): Promise<Kept | null>;
  /** The answer of a staged version; `null` where there is none, or it cannot be read. */
  answer(run: string, ticket: string): Promise<KeptAnswer | null>;
  /**
   * Adds a staged version, replacing one with the same ticket, and removes others.
   *
   * @param replaces tickets of the versions to be removed.
   */
  stage(
    run: string,
    version: Omit<Version, 'counted'>,
    content: { readonly kept: Kept; readonly answer: KeptAnswer },
    replaces?: readonly string[],
  ): Promise<void>;
  /**
   * Records verdicts, by ticket: `true` counted, and its answer is removed; `null` staged again; `false` removed.
   * Tickets without a version are ignored.
   */
  settle(run: string, verdicts: ReadonlyMap<string, boolean | null>): Promise<void>;
  /** Runs that have versions. */
  runs(): Promise<readonly string[]>;
  /** Removes all state of a run. */
  forget(run: string): Promise<void>;
}
