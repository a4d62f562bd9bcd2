import type { KernelInstance, Kernels } from '@coppice/kernels';
import type { Objective } from '@coppice/protocol';
import { place } from './arena.ts';

/** A block of the arena, by its number in the plan; its offset is known when the plan is complete. */
export type Slot = number;

/** One or a few kernel calls for a batch of `rows` examples. */
export type Step = (rows: number) => void;

/** A weight of the model, stored in the arena permanently. */
export interface Weight {
  readonly at: number;
  readonly size: number;
  /** Offset in the layout. */
  readonly place: number;
  readonly trainable: boolean;
  readonly l1: number;
  readonly l2: number;
}

/** Destination of a gradient: target ← gradient + beta · target. */
export interface Target {
  readonly at: number;
  readonly beta: number;
}

/** Values that a training passes to its plan; the same object from the first step to the last. */
export interface Settings {
  learningRate: number;
  /** Scalar factor of gradients; 1 where there is none, or one for each weight. */
  scale: number;
  /** Strength of an objective's pull. */
  pull: number;
  /** Number of the current step, from 1. */
  step: number;
}

/** Makes the steps that use gradients, usually an optimizer's. */
export interface Descent {
  /** Factor by which gradients are multiplied once they are ready; null: they stay unchanged. */
  readonly factor: ((settings: Settings) => number) | null;
  /**
   * Adds the steps for one trainable weight.
   *
   * @param uses slots that `make` reads.
   * @param make adds the weight's gradient, made from ready gradients, to a target.
   */
  descend(
    plan: PlanBuilder,
    weight: Weight,
    uses: readonly Slot[],
    make: (target: Target, at: (slot: Slot) => number) => Step,
  ): void;
}

/** A runnable plan: steps over one arena, and the slots of the first inputs and the last outputs. */
export interface Plan {
  readonly run: Step;
  /** Resets the memory that outlives a step: the optimizer's state to 0, vectors to the objective's. */
  reset(objective: Objective | null): void;
  at(slot: Slot): number;
}

/** Collects the steps of a plan and the slots they use. A slot is live from the first step that uses it to the last. */
export class PlanBuilder {
  readonly kernels: Kernels;
  readonly settings: Settings;
  readonly rows: number;
  readonly #instance: KernelInstance;
  readonly #descent: Descent | null;
  /** The vectors of an objective, in a slot for each weight. */
  readonly #vectors: { of: 'scale' | 'anchor' | 'offset'; slot: Slot; weight: Weight }[] = [];
  readonly #slots: { perExample: number; fixed: number; kept: boolean }[] = [];
  readonly #steps: { uses: readonly Slot[]; make: (at: (slot: Slot) => number) => Step }[] = [];

  /**
   * @param rows the most examples that a batch will hold.
   * @param descent null for a plan that makes no gradients.
   */
  constructor(instance: KernelInstance, settings: Settings, rows: number, descent: Descent | null) {
    this.#instance = instance;
    this.kernels = instance.kernels;
    this.rows = rows;
    this.settings = settings;
    this.#descent = descent;
  }

  /** @returns A slot for `perExample` numbers for each example of a batch, and `fixed` more. */
  slot(perExample: number, fixed = 0): Slot {
    return this.#slots.push({ perExample, fixed, kept: false }) - 1;
  }

  /** @returns A slot that is never reused: live for the whole plan. */
  kept(perExample: number, fixed = 0): Slot {
    return this.#slots.push({ perExample, fixed, kept: true }) - 1;
  }

  /** @returns A kept slot for a weight's part of one of the objective's vectors. */
  vector(of: 'scale' | 'anchor' | 'offset', weight: Weight): Slot {
    const slot = this.kept(0, weight.size);
    this.#vectors.push({ of, slot, weight });
    return slot;
  }

  /** A view of `n` numbers of the arena; invalid once the arena has grown. */
  floats(at: number, n: number): Float32Array {
    return new Float32Array(this.#instance.buffer, at, n);
  }

  /** Adds a step; `make` gets the byte offsets of slots. All slots that it reads or writes must be in `uses`. */
  step(uses: readonly Slot[], make: (at: (slot: Slot) => number) => Step): void {
    this.#steps.push({ uses, make });
  }

  /**
   * Marks a gradient of `perExample` numbers an example, and `fixed` more, as ready for `descend`: with plain SGD,
   * multiplies it by −η. Call it when nothing else reads the gradient any more.
   */
  ready(gradient: Slot, perExample: number, fixed = 0): void {
    const factor = this.#descent?.factor ?? null;
    if (factor === null) return;
    const { kernels, settings } = this;
    this.step([gradient], (at) => {
      const g = at(gradient);
      return (rows) => kernels.scale(rows * perExample + fixed, factor(settings), g);
    });
  }

  /**
   * Adds the steps that use a weight's gradient. `make` adds the gradient, made from slots that are `ready`, to a
   * target: with plain SGD the weight itself, with momentum its velocity, so that neither needs a separate gradient.
   */
  descend(
    weight: Weight,
    uses: readonly Slot[],
    make: (target: Target, at: (slot: Slot) => number) => Step,
  ): void {
    if (weight.trainable) this.#descent?.descend(this, weight, uses, make);
  }

  /** Places all slots behind `base` and makes the steps. */
  complete(base: number): Plan {
    const last = this.#steps.length;
    const spans = this.#slots.map(({ perExample, fixed, kept }, slot) => {
      const uses = this.#steps.flatMap((step, i) => (step.uses.includes(slot) ? [i] : []));
      return {
        bytes: 4 * (perExample * this.rows + fixed),
        first: kept ? 0 : (uses[0] ?? 0),
        last: kept ? last : (uses.at(-1) ?? 0),
      };
    });
    const { offsets, bytes } = place(spans);
    this.#instance.reserve(base + bytes);
    const at = (slot: Slot) => base + (offsets[slot] as number);
    const steps = this.#steps.map(({ make }) => make(at));
    return {
      at,
      run(count) {
        for (let i = 0; i < steps.length; i++) (steps[i] as Step)(count);
      },
      reset: (objective) => {
        for (const [slot, { kept, fixed }] of this.#slots.entries()) {
          if (kept) this.floats(at(slot), fixed).fill(0);
        }
        for (const { of, slot, weight } of this.#vectors) {
          const vector = objective?.[of];
          if (!(vector instanceof Float32Array))
            throw new Error(`This plan has steps for an objective's ${of}`);
          const { place, size } = weight;
          this.floats(at(slot), size).set(vector.subarray(place, place + size));
        }
      },
    };
  }
}
