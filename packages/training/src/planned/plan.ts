import type { KernelInstance, Kernels } from '@coppice/kernels';
import type { LocalTraining } from '../trainer.ts';
import { place } from './arena.ts';

/** A stretch of the arena, by its number in the plan: where it lies is known when the plan is complete. */
export type Slot = number;

/** One kernel call, or a few, for a batch of so many examples. */
export type Step = (rows: number) => void;

/** A weight of the model, in the arena for good. */
export interface Weight {
  readonly at: number;
  readonly size: number;
  readonly trainable: boolean;
  readonly l1: number;
  readonly l2: number;
}

/** Where a gradient goes: target ← gradient + beta · target. */
export interface Target {
  readonly at: number;
  readonly beta: number;
}

/** What a run of a plan is told; the same object from the first step to the last. */
export interface Settings {
  learningRate: number;
  /** μ of FedProx, for plans that have its term. */
  proximal: number;
  /** How many steps were taken, this one included. */
  step: number;
}

/** β of momentum, β₁, β₂ and ε of Adam: as in `optimizers.ts` and in tfjs. */
const MOMENTUM = 0.9;
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-7;

/** A plan that can be run: steps over one arena, and where the first inputs and the last outputs are. */
export interface Plan {
  readonly run: Step;
  /** Makes the memory that outlives a step as it is at the start: the optimizer's state, all 0; anchors, the weights. */
  reset(): void;
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
  readonly #optimizer: LocalTraining['optimizer'] | null;
  readonly #proximal: boolean;
  /** The weights with which training began, in a slot each, for FedProx. */
  readonly #anchors: { slot: Slot; weight: Weight }[] = [];
  readonly #slots: { perExample: number; fixed: number; kept: boolean }[] = [];
  readonly #steps: { uses: readonly Slot[]; make: (at: (slot: Slot) => number) => Step }[] = [];

  /**
   * @param optimizer null for a plan that does not train.
   * @param rows the most examples that a batch will hold.
   * @param proximal whether steps have FedProx's term.
   */
  constructor(
    instance: KernelInstance,
    settings: Settings,
    optimizer: LocalTraining['optimizer'] | null,
    rows: number,
    proximal: boolean,
  ) {
    this.#instance = instance;
    this.kernels = instance.kernels;
    this.rows = rows;
    this.settings = settings;
    this.#optimizer = optimizer;
    this.#proximal = proximal;
  }

  /** @returns A slot for so many numbers for each example of a batch, and so many more. */
  slot(perExample: number, fixed = 0): Slot {
    return this.#slots.push({ perExample, fixed, kept: false }) - 1;
  }

  /** A slot that no other takes the place of, from before the first step to after the last. */
  kept(perExample: number, fixed = 0): Slot {
    return this.#slots.push({ perExample, fixed, kept: true }) - 1;
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
   * Makes a gradient of `perExample` numbers an example, and `fixed` more, what `descend` adds to its targets: with plain
   * SGD, −η times itself. Call it when nothing else reads the gradient any more.
   */
  ready(gradient: Slot, perExample: number, fixed = 0): void {
    if (this.#optimizer !== 'sgd') return;
    const { kernels, settings } = this;
    this.step([gradient], (at) => {
      const g = at(gradient);
      return (rows) => kernels.scale(rows * perExample + fixed, -settings.learningRate, g);
    });
  }

  /**
   * Adds the steps by which a weight's gradient changes it. `make` adds the gradient, made from what is `ready`, to a
   * target: with plain SGD that is the weight itself, with momentum its velocity, so that neither needs a gradient of its
   * own.
   */
  descend(
    weight: Weight,
    uses: readonly Slot[],
    make: (target: Target, at: (slot: Slot) => number) => Step,
  ): void {
    const { kernels, settings } = this;
    const { size: n, at: w, l1, l2 } = weight;
    const penalised = l1 !== 0 || l2 !== 0;
    if (!weight.trainable) return;
    const anchor = this.#proximal ? this.#anchor(weight) : null;
    if (this.#optimizer === 'sgd' && penalised && anchor !== null) {
      // Both terms are of the weights as they were, so neither may change them before the other is known.
      const change = this.slot(0, n);
      this.step([...uses, change], (at) => make({ at: at(change), beta: 0 }, at));
      this.step([change, anchor], (at) => {
        const [step, from] = [at(change), at(anchor)];
        return () => {
          const { learningRate, proximal } = settings;
          kernels.addPenaltyGradient(n, -learningRate, l1, l2, w, step);
          kernels.multiplyAdd(n, -learningRate * proximal, w, step);
          kernels.multiplyAdd(n, learningRate * proximal, from, step);
          kernels.multiplyAdd(n, 1, step, w);
        };
      });
      return;
    }
    if (this.#optimizer === 'sgd') {
      // From the weights as they were: before the gradient changes them.
      if (penalised) {
        this.step([], () => () => kernels.addPenaltyGradient(n, -settings.learningRate, l1, l2, w, w));
      }
      if (anchor !== null) {
        this.step([anchor], (at) => {
          const from = at(anchor);
          return () => kernels.pull(n, settings.learningRate * settings.proximal, from, w);
        });
      }
      this.step(uses, (at) => make({ at: w, beta: 1 }, at));
      return;
    }
    const gradient = this.#optimizer === 'momentum' ? this.kept(0, n) : this.slot(0, n);
    const beta = this.#optimizer === 'momentum' ? MOMENTUM : 0;
    this.step([...uses, gradient], (at) => make({ at: at(gradient), beta }, at));
    if (penalised) {
      this.step([gradient], (at) => () => kernels.addPenaltyGradient(n, 1, l1, l2, w, at(gradient)));
    }
    if (anchor !== null) {
      this.step([gradient, anchor], (at) => {
        const [g, from] = [at(gradient), at(anchor)];
        return () => {
          kernels.multiplyAdd(n, settings.proximal, w, g);
          kernels.multiplyAdd(n, -settings.proximal, from, g);
        };
      });
    }
    if (this.#optimizer === 'momentum') {
      this.step([gradient], (at) => {
        const velocity = at(gradient);
        return () => kernels.multiplyAdd(n, -settings.learningRate, velocity, w);
      });
      return;
    }
    const [first, second] = [this.kept(0, n), this.kept(0, n)];
    this.step([gradient, first, second], (at) => {
      const [g, m, v] = [at(gradient), at(first), at(second)];
      return () => {
        const { step, learningRate } = settings;
        const size = learningRate / (1 - BETA1 ** step);
        kernels.adam(n, size, 1 / (1 - BETA2 ** step), BETA1, BETA2, EPSILON, g, m, v, w);
      };
    });
  }

  #anchor(weight: Weight): Slot {
    const slot = this.kept(0, weight.size);
    this.#anchors.push({ slot, weight });
    return slot;
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
      reset: () => {
        for (const [slot, { kept, fixed }] of this.#slots.entries()) {
          if (kept) this.floats(at(slot), fixed).fill(0);
        }
        for (const { slot, weight } of this.#anchors) {
          this.floats(at(slot), weight.size).set(this.floats(weight.at, weight.size));
        }
      },
    };
  }
}
