import {
  type Arm,
  type CanaryDecision,
  type CanaryRule,
  decide,
  guardEvidence,
  identityOf,
  Monitor,
  refuses,
  reportLayout,
  summarise,
} from '@coppice/continuity';
import { decodeMeasures, type Measures } from '@coppice/federation';
import { type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { binningOf } from '../drawn-periods.ts';
import { drawFrom, type Pool, sumOf } from './pool.ts';

/* Canaries with false devices, and with silent ones. All devices report before the first look, which is the last. */

export const DEVICES = 200;
export const rule = {
  kind: 'canary',
  alpha: 0.05,
  participants: DEVICES,
  margin: 0.05,
  periods: 1,
} as const satisfies CanaryRule;
export const CANARIES = 1000;
export const SILENCED = 4000;
/** Outcomes of a device, and its mean error with the model in production. */
export const OUTCOMES = 20;
export const ERROR = 0.2;

type Group = Extract<Arm, 'canary' | 'control'>;

const binning = binningOf(1);
const identity = identityOf(binning);
const layout = reportLayout(binning, identity);
const state = new Monitor(binning, identity).state();

function reportOf(arm: Group, errors: number): Measures {
  const guard = { canary: 1, arm, model: 'ab'.repeat(32), labelled: OUTCOMES, errors };
  const numbers = summarise({ ...state, observations: OUTCOMES, guard }, binning) as Float32Array;
  const refusal = refuses({ recipe: binning.recipe, identity, numbers }, binning, identity);
  if (refusal !== null) throw new Error(`the coordinator refuses the report: ${refusal.why}`);
  return decodeMeasures(layout, numbers);
}

/** Reports of a group whose devices have half to three halves of a mean error each. */
function drawReports(arm: Group, error: number, random: RandomSource): Pool {
  return Array.from({ length: 4000 }, () => {
    const own = error * (0.5 + uniform(random));
    let errors = 0;
    for (let i = 0; i < OUTCOMES; i++) if (uniform(random) < own) errors++;
    return reportOf(arm, errors);
  });
}

const pools = new Map<string, Pool>();

function poolOf(arm: Group, error: number): Pool {
  const key = `${arm} ${error}`;
  const pool = pools.get(key) ?? drawReports(arm, error, seededRandom('canary', key));
  pools.set(key, pool);
  return pool;
}

function decided(reports: readonly Measures[]): CanaryDecision {
  const guards = guardEvidence(sumOf(layout, reports));
  return decide(rule, { guards, looks: [], periods: 1, dataQuality: false, noise: 0 });
}

/** True where too few devices of the canary reported. */
function isFewer({ why }: CanaryDecision): boolean {
  return why.some((one) => 'hindrance' in one && one.hindrance === 'fewer-participants');
}

/**
 * Canaries that are rolled back, with groups of equal numbers and an equal part of the false devices in each.
 *
 * @param more by which the candidate's error is higher. @param against false devices speak against the candidate; else, for it.
 */
export function rolledBack(falseDevices: number, more: number, against: boolean): number {
  const random = seededRandom('errors', falseDevices, more, String(against));
  const [each, lying] = [DEVICES / 2, falseDevices / 2];
  const lie = (arm: Group) => reportOf(arm, (arm === 'canary') === against ? OUTCOMES : 0);
  let back = 0;
  for (let i = 0; i < CANARIES; i++) {
    const reports = (['canary', 'control'] as const).flatMap((arm) => [
      ...drawFrom(poolOf(arm, arm === 'canary' ? ERROR + more : ERROR), each - lying, random),
      ...new Array<Measures>(lying).fill(lie(arm)),
    ]);
    if (decided(reports).act === 'roll-back') back++;
  }
  return back;
}

/** Canaries taken back for their number, where false devices report in the control group alone. Groups are drawn. */
export function takenBackBySilence(falseDevices: number): number {
  const random = seededRandom('silence', falseDevices);
  let back = 0;
  for (let i = 0; i < SILENCED; i++) {
    const numbers = { canary: 0, control: 0 };
    for (let device = 0; device < DEVICES; device++) {
      const arm = uniform(random) < 0.5 ? 'canary' : 'control';
      if (device >= falseDevices || arm === 'control') numbers[arm]++;
    }
    const reports = (['canary', 'control'] as const).flatMap((arm) =>
      drawFrom(poolOf(arm, ERROR), numbers[arm], random),
    );
    if (isFewer(decided(reports))) back++;
  }
  return back;
}

/**
 * The exact probability that the last look takes a canary back for the number of its devices, where a share of them is silent:
 * of n devices with outcomes, those of the canary are binomial(n, (1 − s) / (2 − s)).
 */
export function foundSilent(devices: number, silent: number): number {
  const most = mostThatAreFewer(devices);
  const p = (1 - silent) / (2 - silent);
  let [sum, logarithm] = [0, devices * Math.log1p(-p)];
  for (let k = 0; k <= most; k++) {
    sum += Math.exp(logarithm);
    logarithm += Math.log((devices - k) / (k + 1)) + Math.log(p / (1 - p));
  }
  return sum;
}

const mostBy = new Map<number, number>();

/** The largest number of devices in the canary that is too small, by the rule's decision. */
function mostThatAreFewer(devices: number): number {
  const known = mostBy.get(devices);
  if (known !== undefined) return known;
  const group = (clusters: number) => {
    const errors = ERROR * clusters;
    return {
      clusters,
      examples: clusters,
      sum: errors,
      sumSquares: errors,
      products: errors,
      sizeSquares: clusters,
    };
  };
  let most = -1;
  for (let k = 0; k <= devices / 2; k++) {
    const guards = [{ name: 'error', canary: group(k), control: group(devices - k) }];
    if (isFewer(decide(rule, { guards, looks: [], periods: 1, dataQuality: false, noise: 0 }))) most = k;
  }
  mostBy.set(devices, most);
  return most;
}
