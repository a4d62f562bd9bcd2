/** The input of a prediction that awaits its outcome. */
export interface KeptInput {
  /** The prediction's id. */
  readonly id: string;
  /** When it was predicted, milliseconds since 1970. */
  readonly at: number;
  /** In stored form: bytes of a picture, or raw column values of a table. */
  readonly example: Uint8Array | Float32Array | Float64Array;
}

/** Bytes of the inputs of one task that are kept at most; the oldest go first. */
export const MAX_INPUT_BYTES = 16 * 2 ** 20;

/**
 * Inputs of predictions that a device keeps until their outcome is known, by task, where the person agreed to that. They are
 * raw data: nothing of them is ever sent. With its outcome, an input becomes an example like the person's others.
 *
 * Every method may throw CoppiceError `storage-full` or `storage-failed`.
 */
export interface KeptInputs {
  /** Keeps inputs, in place of earlier ones with their ids; the oldest of the task go where there are more bytes than the most. */
  add(task: string, inputs: readonly KeptInput[]): Promise<void>;
  /** Gives an input, and keeps it no longer. `null`: there is none. */
  take(task: string, id: string): Promise<KeptInput | null>;
  /** Deletes the inputs of a task from before a time, milliseconds since 1970. */
  expire(task: string, before: number): Promise<void>;
  /** Deletes all inputs of a task. */
  remove(task: string): Promise<void>;
}
