import type { LocalData } from '../local-data.ts';
import type { KeptInput, KeptInputs } from './kept-inputs.ts';

const DAY = 86_400_000;

/** The inputs of one task's predictions that await their outcome. New ones wait in memory until they are written together. */
export class Awaiting {
  readonly #task: string;
  readonly #days: number;
  readonly #kept: KeptInputs;
  readonly #now: () => number;
  #unwritten = new Map<string, KeptInput>();

  /** @param options.now milliseconds since 1970. */
  constructor(options: {
    readonly task: string;
    readonly days: number;
    readonly kept: KeptInputs;
    readonly now: () => number;
  }) {
    this.#task = options.task;
    this.#days = options.days;
    this.#kept = options.kept;
    this.#now = options.now;
  }

  observe(id: string, example: Uint8Array | Uint8ClampedArray | Float32Array | Float64Array): void {
    const copy = example instanceof Uint8ClampedArray ? Uint8Array.from(example) : example.slice();
    this.#unwritten.set(id, { id, at: this.#now(), example: copy });
  }

  /** Writes new inputs, and deletes those whose days are over. */
  async save(): Promise<void> {
    const inputs = [...this.#unwritten.values()];
    await this.#kept.add(this.#task, inputs);
    // Those that came meanwhile wait for the next time.
    for (const input of inputs) if (this.#unwritten.get(input.id) === input) this.#unwritten.delete(input.id);
    await this.#kept.expire(this.#task, this.#now() - this.#days * DAY);
  }

  /**
   * Adds an input with its outcome to the person's examples, and keeps it no longer.
   *
   * @returns false where there is none with this id.
   * @throws CoppiceError `data-invalid` for a label that is none: the input is kept on.
   */
  async outcome(id: string, label: number, data: LocalData): Promise<boolean> {
    const waiting = this.#unwritten.get(id);
    this.#unwritten.delete(id);
    // It may be on its way there.
    const kept = await this.#kept.take(this.#task, id);
    const input = waiting ?? kept;
    if (input === null || input.at < this.#now() - this.#days * DAY) return false;
    try {
      const features = input.example;
      await data.add({ count: 1, features, labels: Float32Array.of(label) }, 'outcome');
    } catch (thrown) {
      this.#unwritten.set(id, input);
      throw thrown;
    }
    return true;
  }
}
