import {
  AlarmBounds,
  type Binning,
  identityOf,
  judge,
  Monitor,
  type MonitorState,
  type Reference,
  referenceOf,
  refuses,
  reportLayout,
  type Sums,
  summarise,
  type Verdict,
} from '@coppice/continuity';
import { decodeMeasures, type Measures } from '@coppice/federation';
import { normal, type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { binningOf } from '../drawn-periods.ts';
import { drawFrom, type Pool, sumOf } from './pool.ts';

/* Periods with false reports, and their verdicts. */

export const COLUMNS = 8;
/** Predictions of an honest device, and those that a false one claims. */
export const PREDICTIONS = 100;
const CLAIMED = 600 * PREDICTIONS;
export const PERIODS = 100;
/** The standard deviations by which a column moves that false devices hide. */
export const SHIFT = 0.6;

const numeric = binningOf(COLUMNS);
const binning: Binning = {
  ...numeric,
  columns: [...numeric.columns, { kind: 'category', name: 'category', values: 3 }],
};
const identity = identityOf(binning);
const layout = reportLayout(binning, identity);
const bounds = new AlarmBounds();

/** Values beyond all edges, one in each bin of ten. */
const valuesInBins = [-2, -1, -0.7, -0.4, -0.1, 0.1, 0.4, 0.7, 1, 2];

const lies = {
  'all columns': () => [...new Array<number>(COLUMNS).fill(2), 0],
  'an unknown category': (values: readonly number[]) => [...values.slice(0, COLUMNS), 3],
  'missing values': (values: readonly number[]) => [Number.NaN, ...values.slice(1)],
} as const;
export type Lie = keyof typeof lies;
export const kindsOfLies = Object.keys(lies) as Lie[];

interface Told {
  readonly reports: number;
  /** Moves the first column. */
  readonly shift?: number;
  /** What a false device makes of the values. */
  readonly lie?: (values: readonly number[]) => readonly number[];
}

/** Reports of devices that are alike. */
function drawReports({ reports, shift = 0, lie }: Told, random: RandomSource): Pool {
  return Array.from({ length: reports }, () => {
    const monitor = new Monitor(binning, identity);
    for (let i = 0; i < PREDICTIONS; i++) {
      const values = Array.from({ length: COLUMNS }, (_, at) => normal(random) + (at === 0 ? shift : 0));
      const draw = uniform(random);
      values.push(draw < 0.5 ? 0 : draw < 0.8 ? 1 : 2);
      monitor.observe({ columns: lie?.(values) ?? values, prediction: random.uint32() % 2 });
    }
    const state = monitor.state();
    const numbers = summarise(lie === undefined ? state : claimed(state), binning) as Float32Array;
    const refusal = refuses({ recipe: binning.recipe, identity, numbers }, binning, identity);
    if (refusal !== null) throw new Error(`the coordinator refuses the report: ${refusal.why}`);
    return decodeMeasures(layout, numbers);
  });
}

/** The same shares, of more predictions. */
function claimed(state: MonitorState): MonitorState {
  const times = CLAIMED / PREDICTIONS;
  const more = (counts: readonly number[]) => counts.map((count) => times * count);
  return {
    ...state,
    observations: CLAIMED,
    counts: state.counts.map(more),
    missing: more(state.missing),
    outside: more(state.outside),
  };
}

const pools = new Map<string, Pool>();

function poolOf(name: string, told: Told): Pool {
  const pool = pools.get(name) ?? drawReports(told, seededRandom('reports', name));
  pools.set(name, pool);
  return pool;
}

const honest = () => poolOf('honest', { reports: 2000 });
const moved = () => poolOf('moved', { reports: 2000, shift: SHIFT });
const falseOnes = (lie: Lie) => poolOf(lie, { reports: 200, lie: lies[lie] });

function verdictOf(sums: Sums, reference: Reference): Verdict {
  const steps = judge(sums, reference, bounds);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function judged(reports: readonly Measures[], reference: Reference): Verdict {
  return verdictOf(sumOf(layout, reports), reference);
}

function hasAlarm(reports: readonly Measures[], reference: Reference): boolean {
  const { drift, quality } = judged(reports, reference);
  return drift.alarm || quality.alarm;
}

function referenceBy(reports: readonly Measures[]): Reference {
  return referenceOf(binning, sumOf(layout, reports));
}

/** Periods with an alarm in which nothing has changed; each is held against a reference of its own, of as many honest devices. */
export function falseAlarms(
  devices: number,
  falseDevices: number,
  lie: Lie,
): { drift: number; quality: number } {
  const random = seededRandom('alarms', devices, falseDevices, lie);
  const alarms = { drift: 0, quality: 0 };
  for (let period = 0; period < PERIODS; period++) {
    const reference = referenceBy(drawFrom(honest(), devices, random));
    const reports = [
      ...drawFrom(honest(), devices - falseDevices, random),
      ...drawFrom(falseOnes(lie), falseDevices, random),
    ];
    const { drift, quality } = judged(reports, reference);
    if (drift.alarm) alarms.drift++;
    if (quality.alarm) alarms.quality++;
  }
  return alarms;
}

/** Periods of honest devices with an alarm, against references that false devices took part in. */
export function alarmsAfterFalseReference(devices: number, falseDevices: number): number {
  const random = seededRandom('reference', devices, falseDevices);
  let alarms = 0;
  for (let period = 0; period < PERIODS; period++) {
    const reference = referenceBy([
      ...drawFrom(honest(), devices - falseDevices, random),
      ...drawFrom(falseOnes('all columns'), falseDevices, random),
    ]);
    if (hasAlarm(drawFrom(honest(), devices, random), reference)) alarms++;
  }
  return alarms;
}

/**
 * Periods with an alarm where the first column has moved: without a false device, and with one in the place of an honest one that puts all
 * values of this column into the bin, the same in all periods, with which fewest alarms are left.
 */
export function alarmsOfShift(devices: number): { honest: number; hidden: number } {
  const random = seededRandom('hidden', devices);
  const lying = valuesInBins.map((value, bin) =>
    poolOf(`bin ${bin}`, { reports: 100, lie: (values) => [value, ...values.slice(1)] }),
  );
  const left = new Array<number>(lying.length).fill(0);
  let all = 0;
  for (let period = 0; period < PERIODS; period++) {
    const reference = referenceBy(drawFrom(honest(), devices, random));
    const reports = drawFrom(moved(), devices, random);
    if (hasAlarm(reports, reference)) all++;
    for (const [bin, pool] of lying.entries())
      if (hasAlarm([...reports.slice(1), ...drawFrom(pool, 1, random)], reference))
        left[bin] = (left[bin] as number) + 1;
  }
  return { honest: all, hidden: Math.min(...left) };
}
