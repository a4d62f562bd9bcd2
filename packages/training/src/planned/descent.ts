import type { Objective } from '@coppice/protocol';
import type { LocalTraining } from '../trainer.ts';
import type { Descent, PlanBuilder, Settings, Slot, Weight } from './plan.ts';

/** β of momentum, β₁, β₂ and ε of Adam: as in `optimizers.ts` and in tfjs. */
const MOMENTUM = 0.9;
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-7;

/** Parts of an objective that a plan has steps for; their values change with each training. */
export interface Terms {
  readonly scale: 'none' | 'number' | 'vector';
  readonly pull: 'none' | 'to zero' | 'to anchor';
  readonly offset: boolean;
}

export function termsOf(objective: Objective | null): Terms {
  if (objective === null) return { scale: 'none', pull: 'none', offset: false };
  const { scale, pull, anchor, offset } = objective;
  return {
    scale: scale === 1 ? 'none' : typeof scale === 'number' ? 'number' : 'vector',
    pull: pull === 0 ? 'none' : anchor === null ? 'to zero' : 'to anchor',
    offset: offset !== null,
  };
}

/** The steps of an optimizer, its gradients corrected by the terms of an objective. */
export function descentOf(optimizer: LocalTraining['optimizer'], terms: Terms): Descent {
  return { sgd, momentum, adam }[optimizer](terms);
}

/** Plain SGD: gradients are multiplied by −η once they are ready, and added to the weights as they are computed. */
function sgd(terms: Terms): Descent {
  return {
    factor: ({ learningRate, scale }) => -learningRate * scale,
    descend(plan, weight, uses, make) {
      const { kernels } = plan;
      const { size: n, at: w } = weight;
      // Terms are of the weights before the step: at most one that reads them may change them in place.
      if (terms.scale !== 'vector' && !(isPenalised(weight) && terms.pull !== 'none')) {
        correctInPlace(plan, weight, terms);
        plan.step(uses, (at) => make({ at: w, beta: 1 }, at));
        return;
      }
      const change = plan.slot(0, n);
      plan.step([...uses, change], (at) => make({ at: at(change), beta: 0 }, at));
      correct(plan, weight, terms, change, ({ learningRate }) => -learningRate);
      plan.step([change], (at) => {
        const step = at(change);
        return () => kernels.multiplyAdd(n, 1, step, w);
      });
    },
  };
}

/** v ← 0.9·v + g, w ← w − η·v: gradients are added to the velocities as they are computed. */
function momentum(terms: Terms): Descent {
  return {
    factor: numberOf(terms),
    descend(plan, weight, uses, make) {
      const { kernels, settings } = plan;
      const { size: n, at: w } = weight;
      const velocity = plan.kept(0, n);
      if (terms.scale === 'vector') {
        const gradient = plan.slot(0, n);
        plan.step([...uses, gradient], (at) => make({ at: at(gradient), beta: 0 }, at));
        correct(plan, weight, terms, gradient, one);
        plan.step([velocity, gradient], (at) => {
          const [v, g] = [at(velocity), at(gradient)];
          return () => {
            kernels.scale(n, MOMENTUM, v);
            kernels.multiplyAdd(n, 1, g, v);
          };
        });
      } else {
        plan.step([...uses, velocity], (at) => make({ at: at(velocity), beta: MOMENTUM }, at));
        correct(plan, weight, terms, velocity, one);
      }
      plan.step([velocity], (at) => {
        const v = at(velocity);
        return () => kernels.multiplyAdd(n, -settings.learningRate, v, w);
      });
    },
  };
}

function adam(terms: Terms): Descent {
  return {
    factor: numberOf(terms),
    descend(plan, weight, uses, make) {
      const { kernels, settings } = plan;
      const { size: n, at: w } = weight;
      const gradient = plan.slot(0, n);
      plan.step([...uses, gradient], (at) => make({ at: at(gradient), beta: 0 }, at));
      correct(plan, weight, terms, gradient, one);
      const [first, second] = [plan.kept(0, n), plan.kept(0, n)];
      plan.step([gradient, first, second], (at) => {
        const [g, m, v] = [at(gradient), at(first), at(second)];
        return () => {
          const { step, learningRate } = settings;
          const size = learningRate / (1 - BETA1 ** step);
          kernels.adam(n, size, 1 / (1 - BETA2 ** step), BETA1, BETA2, EPSILON, g, m, v, w);
        };
      });
    },
  };
}

/** Stores gradients unchanged, each in a slot of its own. */
export function collecting(): Descent & { readonly gradients: readonly { slot: Slot; weight: Weight }[] } {
  const gradients: { slot: Slot; weight: Weight }[] = [];
  return {
    gradients,
    factor: null,
    descend(plan, weight, uses, make) {
      const slot = plan.kept(0, weight.size);
      gradients.push({ slot, weight });
      plan.step([...uses, slot], (at) => make({ at: at(slot), beta: 0 }, at));
      correct(plan, weight, termsOf(null), slot, one);
    },
  };
}

const one = (_: Settings) => 1;

/** The factor of gradients that only an objective scales. */
function numberOf({ scale }: Terms): Descent['factor'] {
  return scale === 'number' ? (settings) => settings.scale : null;
}

function isPenalised({ l1, l2 }: Weight): boolean {
  return l1 !== 0 || l2 !== 0;
}

/**
 * Completes the gradient of the loss at `target`: adds the regularizer's part, then the terms of the objective.
 *
 * @param factor of all that is added, like the gradient's own: 1, or −η.
 */
function correct(
  plan: PlanBuilder,
  weight: Weight,
  terms: Terms,
  target: Slot,
  factor: (settings: Settings) => number,
): void {
  const { kernels, settings } = plan;
  const { size: n, at: w, l1, l2 } = weight;
  if (isPenalised(weight)) {
    const scale = numberOf(terms) ?? one;
    plan.step([target], (at) => {
      const g = at(target);
      return () => kernels.addPenaltyGradient(n, factor(settings) * scale(settings), l1, l2, w, g);
    });
  }
  if (terms.scale === 'vector') {
    const scale = plan.vector('scale', weight);
    plan.step([target, scale], (at) => {
      const [g, by] = [at(target), at(scale)];
      return () => kernels.multiply(n, g, by, g);
    });
  }
  if (terms.pull !== 'none') {
    plan.step([target], (at) => {
      const g = at(target);
      return () => kernels.multiplyAdd(n, factor(settings) * settings.pull, w, g);
    });
  }
  if (terms.pull === 'to anchor') {
    const anchor = plan.vector('anchor', weight);
    plan.step([target, anchor], (at) => {
      const [g, from] = [at(target), at(anchor)];
      return () => kernels.multiplyAdd(n, -factor(settings) * settings.pull, from, g);
    });
  }
  if (terms.offset) {
    const offset = plan.vector('offset', weight);
    plan.step([target, offset], (at) => {
      const [g, by] = [at(target), at(offset)];
      return () => kernels.multiplyAdd(n, factor(settings), by, g);
    });
  }
}

/** As `correct`, for plain SGD: a step of the weights themselves, before the gradient changes them. */
function correctInPlace(plan: PlanBuilder, weight: Weight, terms: Terms): void {
  const { kernels, settings } = plan;
  const { size: n, at: w, l1, l2 } = weight;
  if (isPenalised(weight)) {
    plan.step([], () => () => {
      kernels.addPenaltyGradient(n, -settings.learningRate * settings.scale, l1, l2, w, w);
    });
  }
  if (terms.pull === 'to zero') {
    plan.step([], () => () => kernels.multiplyAdd(n, -settings.learningRate * settings.pull, w, w));
  }
  if (terms.pull === 'to anchor') {
    const anchor = plan.vector('anchor', weight);
    plan.step([anchor], (at) => {
      const from = at(anchor);
      return () => kernels.pull(n, settings.learningRate * settings.pull, from, w);
    });
  }
  if (terms.offset) {
    const offset = plan.vector('offset', weight);
    plan.step([offset], (at) => {
      const by = at(offset);
      return () => kernels.multiplyAdd(n, -settings.learningRate, by, w);
    });
  }
}
