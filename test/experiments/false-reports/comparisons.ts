import {
  type ComparedExample,
  comparisonEvidence,
  comparisonLayout,
  comparisonMeasures,
  decide,
  type GateRule,
  largestComparisonNorm,
  MAX_COMPARED,
  refusesComparison,
  type Slice,
  slicesOf,
} from '@coppice/continuity';
import { gaussianDeviation, type Measures, noisyTotals } from '@coppice/federation';
import { type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { drawFrom, type Pool, sumOf } from './pool.ts';

/* Comparisons on drawn devices, with false ones among them and with noise, and the decisions of a gate. */

export const rule = {
  kind: 'gate',
  alpha: 0.05,
  older: 0.1,
  worst: 0.15,
  fewest: 10,
} as const satisfies GateRule;
export const COMPARISONS = 400;
/** Comparisons of each step in the search for the fewest devices under noise, and those that must pass. */
export const NOISED = 50;
export const MOST_PASS = 45;
export const STEPS = [100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000];

/** Probabilities that only the candidate, and only the model in production, has a recent example right. */
const candidates = {
  better: { won: 0.15, lost: 0.05 },
  slightlyBetter: { won: 0.125, lost: 0.075 },
  equal: { won: 0.1, lost: 0.1 },
  worse: { won: 0.075, lost: 0.125 },
} as const;
export type Candidate = keyof typeof candidates;
const changed = { won: 0.05, lost: 0.05 } as const;
/** That both have an example right, of either slice. */
const BOTH = { recent: 0.7, older: 0.8 } as const;

/** The form of a comparison: the classes, null for a numeric target, and whether older examples are compared. */
export interface Form {
  readonly classes: number | null;
  readonly older: boolean;
}

const POOL = 10_000;

function comparedOf({ older }: Form) {
  return { production: 'ab'.repeat(32), candidate: 'cd'.repeat(32), number: 1, older };
}

function layoutOf(form: Form) {
  return comparisonLayout(form.classes, comparedOf(form));
}

function drawExamples(form: Form, candidate: Candidate, each: number, random: RandomSource) {
  const one = (slice: Slice): ComparedExample => {
    const { won, lost } = slice === 'recent' ? candidates[candidate] : changed;
    const draw = uniform(random);
    const both = draw >= won + lost && draw < won + lost + BOTH[slice];
    const hits = { production: both || (draw >= won && draw < won + lost), candidate: both || draw < won };
    return { slice, ...labelled(form, random.uint32()), ...hits };
  };
  return slicesOf(form).flatMap((slice) => Array.from({ length: each }, () => one(slice)));
}

function labelled({ classes }: Form, draw: number): { label?: number } {
  return classes === null ? {} : { label: draw % classes };
}

/** An answer as the coordinator takes it. */
function answerOf(form: Form, examples: readonly ComparedExample[]): Measures {
  const compared = comparedOf(form);
  const measures = comparisonMeasures(examples, form.classes, compared);
  if (measures === null) throw new Error('a device has too few examples to compare');
  const refusal = refusesComparison(measures, form.classes, compared);
  if (refusal !== null) throw new Error(`the coordinator refuses the answer: ${refusal}`);
  return measures;
}

/** The answer that the candidate has won, or lost, all of as many examples of each slice as a device may have. */
function lieOf(form: Form, won: boolean): Measures {
  const examples = slicesOf(form).flatMap((slice) =>
    Array.from({ length: MAX_COMPARED }, (_, i) => ({
      slice,
      ...labelled(form, i),
      production: !won,
      candidate: won,
    })),
  );
  return answerOf(form, examples);
}

/** The last pools: one takes about 150 MB. */
const pools = new Map<string, Pool>();
const KEPT = 3;

function poolOf(form: Form, candidate: Candidate, each: number): Pool {
  const key = JSON.stringify([form, candidate, each]);
  const known = pools.get(key);
  if (known !== undefined) return known;
  const [oldest] = pools.keys();
  if (pools.size === KEPT && oldest !== undefined) pools.delete(oldest);
  const random = seededRandom('comparisons', key);
  const pool = Array.from({ length: POOL }, () =>
    answerOf(form, drawExamples(form, candidate, each, random)),
  );
  pools.set(key, pool);
  return pool;
}

interface Compare {
  readonly form: Form;
  readonly candidate: Candidate;
  readonly devices: number;
  /** Examples of each slice on an honest device. */
  readonly each: number;
  readonly falseDevices?: number;
  /** False devices say that the candidate won; else, that it lost. */
  readonly won?: boolean;
  /** ρ of zCDP of the sum. */
  readonly rho?: number;
}

/** The number of comparisons, of so many, that the gate passes. */
export function passed(of: Compare, times: number): number {
  const { form, candidate, devices, each, falseDevices = 0, won = false, rho } = of;
  const random = seededRandom('compare', JSON.stringify(of));
  const [layout, honest, lie] = [layoutOf(form), poolOf(form, candidate, each), lieOf(form, won)];
  const ownRule = { ...rule, older: form.older ? rule.older : null };
  const variance = rho === undefined ? 0 : deviationOf(form, rho) ** 2;
  let accepted = 0;
  for (let i = 0; i < times; i++) {
    const answers = drawFrom(honest, devices - falseDevices, random);
    const exact = sumOf(layout, [...answers, ...new Array<Measures>(falseDevices).fill(lie)]);
    const sums = rho === undefined ? exact : finished(noisyTotals(exact, layout, variance, random));
    const evidence = { candidate: 1, ...comparisonEvidence(sums, devices, variance) };
    if (decide(ownRule, evidence).act === 'accept') accepted++;
  }
  return accepted;
}

/** The standard deviation of the noise in each number of a comparison. */
export function deviationOf(form: Form, rho: number): number {
  return gaussianDeviation(largestComparisonNorm(form.classes, comparedOf(form)), rho);
}

/** The fewest devices, of the steps, from which on nearly all comparisons pass; null: more than the last. */
export function devicesNeeded(form: Form, candidate: Candidate, rho: number): number | null {
  let fewest: number | null = null;
  for (const devices of STEPS.toReversed()) {
    if (passed({ form, candidate, devices, each: 20, rho }, NOISED) < MOST_PASS) break;
    fewest = devices;
  }
  return fewest;
}

function finished<T>(steps: Iterator<unknown, T, unknown>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
