import { TaskSchema, type Topology, tolerant, type WatchInfo } from '@coppice/protocol';
import * as z from 'zod/mini';
import type { ParcelPass } from '../parcel-source.ts';

/** The part of a task that a device needs to watch it. */
export const WatchedTaskSchema = tolerant(
  z.pick(TaskSchema, { id: true, data: true, loss: true, heldOut: true }),
);
export type WatchedTask = z.infer<typeof WatchedTaskSchema>;

/** A checkpoint's layers and weights. */
export interface TaskModel {
  readonly topology: Topology;
  /** Flat, in layout order; checked against their hash. */
  readonly weights: Float32Array;
}

/**
 * What is public of the tasks of a coordinator. All methods throw a `CoppiceError`: the coordinator's own,
 * `connection-lost`, `message-invalid`.
 */
export interface TaskSource {
  /** @throws CoppiceError also `task-unknown` */
  task(task: string): Promise<WatchedTask>;
  /** What devices report of a task now, and with which bins. */
  watch(task: string): Promise<WatchInfo>;
  /**
   * A checkpoint of a task.
   *
   * @param hash of its weights.
   * @param pass of a question about it: it opens a model of a run that is not open. Shown only where it is needed.
   * @throws CoppiceError also `frame-invalid` for weights that are not those of the hash, `checkpoint-unknown`,
   *   `run-not-admitted` for a model of a run that is not open, which the pass does not open.
   */
  model(task: string, hash: string, pass?: ParcelPass): Promise<TaskModel>;
}
