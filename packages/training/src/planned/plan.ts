import type { KernelInstance, Kernels } from '@coppice/kernels';
import type { Objective } from '@coppice/protocol';
import { place } from './arena.ts';

/** A stretch of the arena, by its number in the plan: where it lies is known when the plan is complete. */
export type Slot = number;

/** One kernel call, or a few, for a batch of so many examples. */
export type Step = (rows: number) => void;

/** A weight of the model, in the arena for good. */
export interface Weight {
  readonly at: number;
  readonly size: number;
  /** Numbers in the layout before its own. */
  readonly place: number;
  readonly trainable: boolean;
  readonly l1: number;
  readonly l2: number;
}

/** Where a gradient goes: target ← gradient + beta · target. */
export interface Target {
  readonly at: number;
  readonly beta: number;
}

/** Numbers that a training gives to its plan; the same object from the first step to the last. */
export interface Settings {
  learningRate: number;
  /** Factor of gradients; 1 where there is none, or one for each weight. */
  scale: number;
  /** Strength of an objective's pull. */
  pull: number;
  /** Number of the current step, from 1. */
  step: number;
}

/** Makes the steps that use gradients: the optimizer's, mostly. */
export interface Descent {
  /** Factor by which gradients are multiplied once they are ready; null: they stay as they are. */
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

/** A plan that can be run: steps over one arena, and where the first inputs and the last outputs are. */
export interface Plan {
  readonly run: Step;
  /** Sets the memory that outlives a step as at the start: the optimizer's state to 0, vectors to the objective's. */
  reset(objective: Objective | null): void;
  at(slot: Slot): number;
}

/**
 * Collects the steps of a plan and the slots they use. A slot is kept from the first step that uses it to the last.
 */
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

  /** @returns A slot for so many numbers for each example of a batch, and so many more. */
  slot(perExample: number, fixed = 0): Slot {
    return this.#slots.push({ perExample, fixed, kept: false }) - 1;
  }

  /** A slot that no other takes the place of, from before the first step to after the last. */
  kept(perExample: number, fixed = 0): Slot {
    return this.#slots.push({ perExample, fixed, kept: true }) - 1;
  }

  /** A kept slot that holds a weight's part of one of the objective's vectors during a training. */
  vector(of: 'scale' | 'anchor' | 'offset', weight: Weight): Slot {
    const slot = this.kept(0, weight.size);
    this.#vectors.push({ of, slot, weight });
    return slot;
  }

  /** So many numbers of the arena, as it is now: a view is of no use once the arena has grown. */
  floats(at: number, n: number): Float32Array {
    return new Float32Array(this.#instance.buffer, at, n);
  }

  /** Adds a step; `make` gets the byte offsets of slots. Whatever it reads or writes must be in `uses`. */
  step(uses: readonly Slot[], make: (at: (slot: Slot) => number) => Step): void {
    this.#steps.push({ uses, make });
  }

  /**
   * Makes a gradient of `perExample` numbers an example, and `fixed` more, ready for `descend`: with plain SGD, −η times
   * itself. Call it when nothing else reads the gradient any more.
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
   * Adds the steps by which a weight's gradient is used. `make` adds the gradient, made from slots that are `ready`, to a
   * target: with plain SGD that is the weight itself, with momentum its velocity, so that neither needs a gradient of its
   * own.
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
