import { Adwin, benjaminiHochberg, type Detector, PageHinkley, stabilityIndex } from '@coppice/continuity';
import {
  type Case,
  type Json,
  member,
  type Operation,
  parameter,
  parameterOr,
  requireNumber,
  Unsupported,
} from '../case.ts';

function numbersOf(value: Json | undefined, name: string): number[] {
  if (!Array.isArray(value)) throw new Error(`the case gives no ${name}`);
  return value.map((one) => requireNumber(one, `a number of ${name}`));
}

/** The places of a stream at which a detector raised the alarm. */
function alarmsIn(one: Case, detector: Detector<unknown>): number[] {
  const stream = numbersOf(member(one.inputs, 'stream'), 'stream');
  return [...stream.entries()].filter(([, value]) => detector.update(value)).map(([place]) => place);
}

function adwin(one: Case) {
  const detector = new Adwin({
    delta: parameterOr(one, 0.002, 'delta'),
    clock: parameterOr(one, 32, 'clock'),
    maxBuckets: parameterOr(one, 5, 'max_buckets'),
    minWindowLength: parameterOr(one, 5, 'min_window_length'),
    gracePeriod: parameterOr(one, 10, 'grace_period'),
  });
  const drifts = alarmsIn(one, detector);
  const { width, total, squares, mean } = detector;
  // The detector has no warnings, and the cases' lists of them are empty.
  const final = { width, total, sum_sq_dev: squares, estimation: mean };
  return { named: { drifts, warnings: [], final }, precision: 'float64' as const };
}

function pageHinkley(form: 'extremes' | 'clamped'): Operation {
  return (one) => {
    const { mode = form === 'clamped' ? 'up' : 'both' } = one.params;
    if (mode !== 'up' && mode !== 'down' && mode !== 'both')
      throw new Unsupported(`no mode ${JSON.stringify(mode)}`);
    const detector = new PageHinkley({
      minInstances: parameterOr(one, 30, 'min_instances'),
      delta: parameterOr(one, 0.005, 'delta'),
      threshold: parameterOr(one, 50, 'threshold', 'lambda'),
      alpha: parameterOr(one, 0.9999, 'alpha'),
      mode,
      form,
    });
    return { named: { drifts: alarmsIn(one, detector), warnings: [] }, precision: 'float64' as const };
  };
}

function psi(one: Case) {
  const counts = (name: string) => numbersOf(member(one.inputs, name), name);
  const index = stabilityIndex(counts('ref_counts'), counts('cur_counts'), parameter(one, 'epsilon'));
  return { named: { psi: index }, precision: 'float64' as const };
}

/** Histograms of drift.json. */
function distances({ inputs }: Case) {
  if (member(inputs, 'kind') !== 'histogram') throw new Unsupported(NO_SAMPLES);
  const shares = (name: string) => numbersOf(member(inputs, name), name);
  return { named: { psi: stabilityIndex(shares('ref'), shares('cur')) } };
}

function multipleTesting({ inputs, params }: Case) {
  const bh = benjaminiHochberg(numbersOf(member(inputs, 'p_values'), 'p_values'));
  const alpha = requireNumber(params.alpha, 'alpha');
  return { named: { bh, rejected_bh: bh.map((p) => p <= alpha) }, precision: 'float64' as const };
}

const NO_SAMPLES = 'devices send histograms, and no samples';
const ONE_DETECTOR = 'the stream of errors is watched by ADWIN and Page–Hinkley';
const ONE_DISTANCE = 'histograms are compared by the population stability index';

export const detectors: { readonly [name: string]: Operation | string } = {
  adwin,
  page_hinkley: pageHinkley('extremes'),
  ADWIN: adwin,
  // The cases are of a form that River had before.
  PageHinkley: pageHinkley('clamped'),
  psi,
  distances,
  multiple_testing: multipleTesting,
  chi_square_contingency: 'tests of shares are corrected for participants as clusters (Rao and Scott)',
  reference_quantile_histogram: 'edges are chosen from a summed histogram; the sample stays on the devices',
  ks_two_sample: NO_SAMPLES,
  cramer_von_mises_two_sample: NO_SAMPLES,
  wasserstein1_samples: NO_SAMPLES,
  mmd_rbf: NO_SAMPLES,
  histogram_distances: ONE_DISTANCE,
  wasserstein1_histogram: ONE_DISTANCE,
  DDM: ONE_DETECTOR,
  EDDM: ONE_DETECTOR,
  HDDM_A: ONE_DETECTOR,
};
