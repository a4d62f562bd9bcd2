import { oneAtATime } from '../storage/one-at-a-time.ts';

/** Queues by task: what concerns a task is done one at a time. */
export class TaskLanes {
  readonly #lanes = new Map<string, ReturnType<typeof oneAtATime>>();

  of(task: string): ReturnType<typeof oneAtATime> {
    const lane = this.#lanes.get(task) ?? oneAtATime();
    this.#lanes.set(task, lane);
    return lane;
  }

  /** Resolves once what was queued is done. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane(async () => {})));
  }
}
