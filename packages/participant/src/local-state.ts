import type { Kept, MadeAnswer } from './train.ts';

/** State that belongs to one answer of this device, without its content. */
export interface Version {
  /** The ticket of the question that the answer was for: the version's name within its run. */
  readonly ticket: string;
  readonly round: number;
  readonly attempt: number;
  /** Hash of the model that the question came with. */
  readonly model: string;
  /** Whether the answer is known to have counted; else it is staged. */
  readonly counted: boolean;
}

/** An answer as it is kept until it is known whether it counted. */
export interface KeptAnswer extends MadeAnswer {
  /** L2 norm of the change of the model. */
  readonly norm: number;
}

/**
 * State that a device keeps of its runs between questions: of every version the strategy's and the pipeline's state, and
 * while it is staged the answer itself, so that the same one is sent again. Nothing of it is sent by itself.
 *
 * Every change is made whole or not at all, and is on disk, where there is one, when it resolves. Every method may throw
 * CoppiceError `storage-full` (nothing was changed) or `storage-failed`.
 */
export interface LocalState {
  /** Versions of a run, in the order in which they were staged first. */
  versions(run: string): Promise<readonly Version[]>;
  /** The state of a version; `null` where there is no such version, or it cannot be read. */
  kept(run: string, ticket: string): Promise<Kept | null>;
  /** The answer of a staged version; `null` where there is none, or it cannot be read. */
  answer(run: string, ticket: string): Promise<KeptAnswer | null>;
  /**
   * Adds a staged version, in the place of one with the same ticket, and removes others.
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
   * Notes verdicts, by ticket: `true` counted, and its answer is removed; `null` staged again; `false` removed. Tickets
   * without a version are ignored.
   */
  settle(run: string, verdicts: ReadonlyMap<string, boolean | null>): Promise<void>;
  /** Runs that there are versions of. */
  runs(): Promise<readonly string[]>;
  /** Removes everything of a run. */
  forget(run: string): Promise<void>;
}
