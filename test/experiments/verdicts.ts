import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AlarmBounds,
  defaultWatch,
  judge,
  largestNorm,
  type Reference,
  referenceOf,
  type Sums,
  type Verdict,
  type VerdictOptions,
} from '@coppice/continuity';
import { seededRandom } from '@coppice/ports';
import { binningOf, type Devices, drawPool, drawSums, noisy, type Pool } from './drawn-periods.ts';

/*
 * The promises of verdicts, on drawn devices with fixed seeds: false alarms in quiet periods, power, and the same verdict
 * for few and for many examples.
 */
const QUIET = 2000;
const EXAMPLES = 50;
/** Periods of each row about power. */
const MOVED = 200;
/** The shifts of the mean of a standard normal column that have an index of half and of twice the threshold over deciles. */
const HALF = shiftWith(defaultWatch.threshold / 2);
const TWICE = shiftWith(defaultWatch.threshold * 2);
const results = fileURLToPath(new URL('../../docs/results', import.meta.url));
const store = join(results, 'verdicts.json');

const bounds = new AlarmBounds('verdicts');

/** Makes the rows that the results lack, and rewrites the page after each. */
export async function verdicts(): Promise<void> {
  const rows: Record<string, string> = existsSync(store)
    ? (JSON.parse(readFileSync(store, 'utf8')) as Record<string, string>)
    : {};
  const sizes = [5, 20, 200].flatMap((participants) =>
    [2, 20, 100].map((columns) => ({ participants, columns })),
  );
  const quiet: Quiet[] = [
    ...[0, 0.5].flatMap((deviation) => sizes.map((size) => ({ deviation, rho: null, ...size }))),
    // Bounds depend on the noise as well: each of these rows takes minutes.
    ...[20, 200].flatMap((participants) =>
      [2, 20].map((columns) => ({ deviation: 0, rho: 0.5, participants, columns })),
    ),
  ];
  const moved = [0, 0.3].flatMap((deviation) =>
    [10, 100].flatMap((columns) =>
      (
        [
          [50, 20],
          [100, 10],
          [50, 2000],
          [100, 1000],
        ] as const
      ).map(([participants, examples]): Moved => ({ deviation, columns, participants, examples })),
    ),
  );
  const told = (of: readonly object[]) => of.flatMap((one) => rows[JSON.stringify(one)] ?? []);
  const add = (one: object, row: () => string) => {
    const key = JSON.stringify(one);
    rows[key] ??= row();
    process.stderr.write(`${rows[key]}\n`);
    writeFileSync(store, `${JSON.stringify(rows, null, 2)}\n`);
    write(told(quiet), told(moved));
  };
  for (const one of moved) add(one, () => movedRow(one));
  for (const one of quiet) add(one, () => quietRow(one));
}

interface Quiet {
  readonly deviation: number;
  /** ρ of zCDP of each sum; null: no noise. */
  readonly rho: number | null;
  readonly participants: number;
  readonly columns: number;
}

/** Each period has a reference of its own, of as many other devices. */
function quietRow({ deviation, rho, participants, columns }: Quiet): string {
  const pool = poolOf({ examples: EXAMPLES, deviation });
  const binning = binningOf(columns);
  const norm = largestNorm(binning, defaultWatch.minimum);
  const random = seededRandom('quiet', deviation, rho ?? 0, participants, columns);
  let [chance, ordinary, tested] = [0, 0, 0];
  for (let period = 0; period < QUIET; period++) {
    const draw = () => {
      const sums = drawSums(binning, pool, participants, random);
      return rho === null ? { sums, variance: 0 } : noisy(sums, norm, rho, random);
    };
    const [before, now] = [draw(), draw()];
    const reference = referenceOf(binning, before.sums, before.variance);
    // With a threshold of 0 chance alone decides.
    const verdict = verdictOf(now.sums, reference, { threshold: 0, noise: now.variance });
    const { results } = verdict.drift;
    tested += verdict.drift.tested;
    if (verdict.drift.alarm) chance++;
    if (results.some(({ effect, bound }) => effect > Math.max(bound, defaultWatch.threshold))) ordinary++;
  }
  const differ = deviation === 0 ? 'all alike' : `means differ by ${deviation}`;
  const noise = rho === null ? 'none' : `ρ = ${rho}`;
  const most = atMost(QUIET, 1 / defaultWatch.every);
  return `| ${participants} | ${columns} | ${differ} | ${noise} | ${(tested / QUIET).toFixed(1)} | ${chance} | ${ordinary} | ${chance <= most ? 'held' : '**broken**'} |`;
}

interface Moved {
  readonly deviation: number;
  readonly columns: number;
  readonly participants: number;
  readonly examples: number;
}

function movedRow({ deviation, columns, participants, examples }: Moved): string {
  const binning = binningOf(columns);
  const devices = { examples, deviation };
  const pool = poolOf(devices);
  const share = (shift: number) => {
    const first = poolOf({ ...devices, shift });
    const random = seededRandom('moved', deviation, columns, participants, examples, shift);
    let alarms = 0;
    for (let period = 0; period < MOVED; period++) {
      const reference = referenceOf(binning, drawSums(binning, pool, 200, random));
      if (verdictOf(drawSums(binning, pool, participants, random, first), reference).drift.alarm) alarms++;
    }
    return alarms / MOVED;
  };
  const [half, twice] = [share(HALF), share(TWICE)];
  const differ = deviation === 0 ? 'all alike' : `means differ by ${deviation}`;
  const percent = (of: number) => `${(100 * of).toFixed(1)} %`;
  const held = half <= 0.1 && twice >= 0.9;
  return `| ${participants * examples} | ${participants} × ${examples} | ${columns} | ${differ} | ${percent(half)} | ${percent(twice)} | ${held ? 'held' : '**broken**'} |`;
}

const pools = new Map<string, Pool>();

function poolOf(devices: Devices): Pool {
  const key = JSON.stringify(devices);
  const known = pools.get(key) ?? drawPool(devices, 'population');
  pools.set(key, known);
  return known;
}

function verdictOf(sums: Sums, reference: Reference, options: VerdictOptions = {}): Verdict {
  const steps = judge(sums, reference, bounds, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The number that so many trials with this probability exceed in one of a thousand cases. */
function atMost(trials: number, p: number): number {
  let [k, term] = [0, (1 - p) ** trials];
  let sum = term;
  while (sum < 0.999) {
    term *= ((trials - k) / (k + 1)) * (p / (1 - p));
    sum += term;
    k++;
  }
  return k;
}

/** The population stability index between N(0, 1) and N(shift, 1) over deciles. */
function trueIndex(shift: number): number {
  const edges = binningOf(1).columns[0];
  if (edges?.kind !== 'number') throw new Error('a column of numbers has edges');
  const cumulative = (mean: number) => [...edges.edges.map((edge) => phi(edge - mean)), 1];
  const shares = (mean: number) => cumulative(mean).map((one, i, all) => one - (all[i - 1] ?? 0));
  const [p, q] = [shares(0), shares(shift)];
  return p.reduce((sum, one, i) => sum + ((q[i] as number) - one) * Math.log((q[i] as number) / one), 0);
}

/** The distribution function of the standard normal distribution, by Simpson's rule. */
function phi(x: number): number {
  const steps = 2000;
  const width = x / steps;
  const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(i * width);
  return 0.5 + (sum * width) / 3;
}

function shiftWith(index: number): number {
  let [low, high] = [0, 2];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (trueIndex(middle) < index) low = middle;
    else high = middle;
  }
  return low;
}

function write(quiet: readonly string[], moved: readonly string[]): void {
  const { threshold, every } = defaultWatch;
  const page = `# Promises of verdicts, on drawn devices

Made by \`pnpm experiment verdicts\` with fixed seeds: the same figures each time. Columns are standard normal, in ten bins of equal shares. Devices are alike, or each has a mean of its own. Verdicts are those of \`packages/continuity\` with its ordinary settings: threshold ${threshold}, one false alarm in ${every} periods.

## False alarms in ${QUIET} quiet periods

Each period is held against a reference of its own, made of as many devices; a device has ${EXAMPLES} examples. ${QUIET / every} alarms are promised; the promise is broken where there are more than ${atMost(QUIET, 1 / every)}, which chance reaches in one of a thousand such rows. _By chance alone_ has a threshold of 0. Noise is that of the stated cost of a sum in zero-concentrated differential privacy, for the largest report of so many columns.

| devices | columns | devices are | noise | tested | alarms by chance alone | alarms with the threshold | promise |
|---|---|---|---|---|---|---|---|
${quiet.join('\n')}

## Power, and the same verdict for few and for many examples

One column moves, by half of the threshold or by twice it. The reference is of 200 devices; ${MOVED} periods a row. Promised: an alarm in at most 10 % of periods at half, and in at least 90 % at twice, at 1,000 and at 100,000 examples.

| examples | devices × examples | columns | devices are | alarms at half | alarms at twice | promise |
|---|---|---|---|---|---|---|
${moved.join('\n')}
`;
  writeFileSync(join(results, 'verdicts.md'), page);
}
