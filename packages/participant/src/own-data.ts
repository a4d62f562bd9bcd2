import { recipeHash, type Task } from '@coppice/protocol';
import type { LocalData, OpenLocalData } from './local-data.ts';

interface Opened {
  readonly task: string;
  /** Of its schema: examples are scaled by it as they are read. */
  readonly recipe: string;
  readonly local: Promise<LocalData>;
  /** Number of examples at the last count. */
  examples: number;
  close: () => void;
}

/** This device's examples of its joined task: opened at a join, counted, closed. */
export class OwnData {
  readonly #openData: OpenLocalData;
  #opened: Opened | null = null;

  constructor(openData: OpenLocalData) {
    this.#openData = openData;
  }

  /** Number of examples of the open task at the last count; 0 where none is open. */
  get examples(): number {
    return this.#opened?.examples ?? 0;
  }

  /** Number of examples of a task at the last count; 0 where another one is open. */
  examplesOf(task: string | undefined): number {
    return this.#opened?.task === task ? this.examples : 0;
  }

  /** The data of the open task, once opened; `null`: none is open. @throws CoppiceError as opening did. */
  async local(): Promise<LocalData | null> {
    return (await this.#opened?.local) ?? null;
  }

  /**
   * Opens the data of a task, unless it is open with the same recipe.
   *
   * @returns true where this call opened it.
   * @throws CoppiceError `storage-failed`, `data-invalid`
   */
  async open({ id, data }: Task): Promise<boolean> {
    const recipe = recipeHash(data);
    if (this.#opened?.task === id && this.#opened.recipe === recipe) return false;
    this.close();
    const opened: Opened = {
      task: id,
      recipe,
      local: this.#begin(id, data, () => opened),
      examples: 0,
      close: () => {},
    };
    this.#opened = opened;
    try {
      await opened.local;
    } catch (thrown) {
      if (this.#opened === opened) this.#opened = null;
      throw thrown;
    }
    return this.#opened === opened;
  }

  async #begin(task: string, schema: Task['data'], opened: () => Opened): Promise<LocalData> {
    const local = await this.#openData(task, schema);
    const { count } = await local.summary();
    const stop = local.subscribe((summary) => {
      opened().examples = summary.count;
    });
    opened().examples = count;
    opened().close = () => {
      stop();
      local.close();
    };
    // Closed while it was being opened.
    if (this.#opened !== opened()) opened().close();
    return local;
  }

  /** Counts the examples again. @returns true where data is open. */
  async count(): Promise<boolean> {
    const opened = this.#opened;
    if (opened === null) return false;
    opened.examples = (await (await opened.local).summary()).count;
    return true;
  }

  close(): void {
    this.#opened?.close();
    this.#opened = null;
  }
}
