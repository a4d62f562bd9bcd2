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
import { type RandomSource, seededRandom } from '@coppice/ports';
import {
  binningOf,
  type Devices,
  type Differences,
  drawMembers,
  drawPool,
  type Missing,
  noisy,
  type Pool,
  sumsOf,
} from './drawn-periods.ts';

/*
 * The promises of verdicts, on drawn devices with fixed seeds: false alarms in quiet periods, power, and the same verdict
 * for few and for many examples.
 */
const QUIET = 2000;
/** Periods of each row about power, and about power with noise. */
const MOVED = 200;
const MOVED_WITH_NOISE = 100;
const results = fileURLToPath(new URL('../../docs/results', import.meta.url));
const store = join(results, 'verdicts.json');

const bounds = new AlarmBounds();

const alike: Differences = { kind: 'alike' };
const means = (deviation: number): Differences => ({ kind: 'means', deviation });
const shares = (concentration: number, ...of: number[]): Differences => ({
  kind: 'shares',
  means: of,
  concentration,
});

interface Quiet {
  readonly reference: number;
  /** `same`: those of the reference, with other examples. */
  readonly participants: number | 'same';
  readonly columns: number;
  readonly examples: number;
  readonly differences: Differences;
  readonly missing: Missing['kind'];
  /** ρ of zCDP of each sum; null: no noise. */
  readonly rho: number | null;
}

function quiet(devices: number, columns: number, differences: Differences, more: Partial<Quiet> = {}): Quiet {
  const missing = 'none';
  return {
    reference: devices,
    participants: devices,
    columns,
    examples: 50,
    differences,
    missing,
    rho: null,
    ...more,
  };
}

const few = [5, 8, 12];
const quietRows: readonly Quiet[] = [
  ...[alike, means(0.5)].flatMap((differences) =>
    [5, 20, 200].flatMap((devices) => [2, 20, 100].map((columns) => quiet(devices, columns, differences))),
  ),
  ...few.flatMap((devices) => [
    quiet(devices, 20, means(0.3)),
    quiet(devices, 100, means(0.3)),
    ...(devices === 5 ? [] : [quiet(devices, 20, means(0.5)), quiet(devices, 100, means(0.5))]),
    quiet(devices, 20, means(1)),
    quiet(devices, 100, means(1)),
    quiet(devices, 20, { kind: 'means and spreads', deviation: 0.5 }),
    quiet(devices, 20, { kind: 'skewed means', deviation: 0.5 }),
    quiet(devices, 20, means(0.5), { examples: 10 }),
    quiet(devices, 20, means(0.5), { participants: 'same' }),
  ]),
  ...[5, 8, 12, 20].flatMap((devices) => [
    quiet(devices, 20, shares(10, 0.5, 0.3, 0.2)),
    quiet(devices, 20, shares(10, 0.8, 0.2)),
    quiet(devices, 20, shares(2, 0.8, 0.2)),
    quiet(devices, 20, { kind: 'property', means: [0.5, 0.5] }),
  ]),
  // A reference of many devices, and few of them in a period.
  ...[alike, means(0.5), { kind: 'skewed means', deviation: 0.5 } as const, shares(2, 0.8, 0.2)].flatMap(
    (differences) => [5, 20].map((participants) => quiet(200, 20, differences, { participants })),
  ),
  ...(['differs', 'some devices', 'two kinds'] as const).flatMap((missing) => [
    ...few.map((devices) => quiet(devices, 20, alike, { missing })),
    quiet(200, 20, alike, { missing, participants: 5 }),
  ]),
  ...[0.5, 0.05].flatMap((rho) =>
    [20, 200].flatMap((devices) => [2, 20].map((columns) => quiet(devices, columns, alike, { rho }))),
  ),
  quiet(200, 20, means(0.5), { rho: 0.5 }),
];

interface Moved {
  readonly reference: number;
  readonly participants: number;
  readonly columns: number;
  readonly examples: number;
  readonly differences: Differences;
  readonly rho: number | null;
}

const movedRows: readonly Moved[] = [alike, means(0.3)].flatMap((differences) =>
  [10, 100].flatMap((columns) =>
    (
      [
        [50, 20],
        [100, 10],
        [50, 2000],
        [100, 1000],
      ] as const
    ).map(([participants, examples]) => ({
      reference: 200,
      participants,
      columns,
      examples,
      differences,
      rho: null,
    })),
  ),
);

const fewRows: readonly Moved[] = [alike, means(0.3)].flatMap((differences) =>
  [5, 8, 12, 20].flatMap((participants) =>
    [10, 100].flatMap((columns) =>
      [participants, 200].map((reference) => ({
        reference,
        participants,
        columns,
        examples: 50,
        differences,
        rho: null,
      })),
    ),
  ),
);

interface Noised {
  readonly rho: number;
  readonly columns: number;
}

const noisedRows: readonly Noised[] = [0.5, 0.1, 0.02].flatMap((rho) =>
  [4, 20].map((columns) => ({ rho, columns })),
);

/** Makes the rows that the results lack, and rewrites the page after each. */
export async function verdicts(): Promise<void> {
  const rows: Record<string, string> = existsSync(store)
    ? (JSON.parse(readFileSync(store, 'utf8')) as Record<string, string>)
    : {};
  const told = (of: readonly object[], kind: string) =>
    of.flatMap((one) => rows[kind + JSON.stringify(one)] ?? []);
  const add = <T extends object>(kind: string, of: readonly T[], row: (one: T) => string) => {
    for (const one of of) {
      const key = kind + JSON.stringify(one);
      rows[key] ??= row(one);
      process.stderr.write(`${rows[key]}\n`);
      writeFileSync(store, `${JSON.stringify(rows, null, 2)}\n`);
      write({
        quiet: told(quietRows, 'quiet'),
        moved: told(movedRows, 'moved'),
        few: told(fewRows, 'few'),
        noised: told(noisedRows, 'noised'),
      });
    }
  };
  add('moved', movedRows, movedRow);
  add('few', fewRows, fewRow);
  add('noised', noisedRows, noisedRow);
  add('quiet', quietRows, quietRow);
}

/** Each period has a reference of its own. */
function quietRow(one: Quiet): string {
  const { reference, participants, columns, examples, differences, missing, rho } = one;
  const devices = { examples, differences, missing: { kind: missing } };
  const pool = poolOf(devices);
  const again = participants === 'same' ? poolOf(devices, 1) : pool;
  const binning = binningOf(columns, differences);
  const random = seededRandom('quiet', JSON.stringify(one));
  let [chance, ordinary, quality, tested] = [0, 0, 0, 0];
  for (let period = 0; period < QUIET; period++) {
    const members = drawMembers(pool, columns, reference, random);
    const others = participants === 'same' ? members : drawMembers(pool, columns, participants, random);
    const before = withNoise(sumsOf(binning, members, pool), columns, rho, random);
    const now = withNoise(sumsOf(binning, others, again), columns, rho, random);
    // With a threshold of 0 chance alone decides.
    const verdict = verdictOf(now.sums, referenceOf(binning, before.sums, before.variance), {
      threshold: 0,
      noise: now.variance,
    });
    const { results } = verdict.drift;
    tested += verdict.drift.tested;
    if (verdict.drift.alarm) chance++;
    if (verdict.quality.alarm) quality++;
    if (results.some(({ effect, bound }) => effect > Math.max(bound, defaultWatch.threshold))) ordinary++;
  }
  const most = atMost(QUIET, 1 / defaultWatch.every);
  return line(
    reference,
    participants,
    columns,
    examples,
    textOf(differences, missing),
    rho === null ? 'none' : `ρ = ${rho}`,
    (tested / QUIET).toFixed(1),
    chance,
    ordinary,
    quality,
    Math.max(chance, quality) <= most ? 'held' : '**broken**',
  );
}

/** The part of periods with an alarm where the first column has moved by an index. */
function alarmsAt(index: number, periods: number, one: Moved): number {
  const { reference, participants, columns, examples, differences, rho } = one;
  const pool = poolOf({ examples, differences });
  const first = poolOf({ examples, differences, shift: shiftWith(index) });
  const binning = binningOf(columns, differences);
  const random = seededRandom('moved', JSON.stringify(one), index);
  let alarms = 0;
  for (let period = 0; period < periods; period++) {
    const [of, to] = [reference, participants].map((count) => drawMembers(pool, columns, count, random));
    const before = withNoise(sumsOf(binning, of ?? [], pool), columns, rho, random);
    const now = withNoise(sumsOf(binning, to ?? [], pool, first), columns, rho, random);
    const known = referenceOf(binning, before.sums, before.variance);
    if (verdictOf(now.sums, known, { noise: now.variance }).drift.alarm) alarms++;
  }
  return alarms / periods;
}

function movedRow(one: Moved): string {
  const { columns, participants, examples, differences } = one;
  const { threshold } = defaultWatch;
  const [half, twice] = [alarmsAt(threshold / 2, MOVED, one), alarmsAt(2 * threshold, MOVED, one)];
  return line(
    participants * examples,
    `${participants} × ${examples}`,
    columns,
    textOf(differences),
    percent(half),
    percent(twice),
    half <= 0.1 && twice >= 0.9 ? 'held' : '**broken**',
  );
}

function fewRow(one: Moved): string {
  const { columns, reference, participants, examples, differences } = one;
  const alarms = [0.05, 0.2, 0.5, 1, 2].map((index) => percent(alarmsAt(index, MOVED, one)));
  return line(reference, participants, examples, columns, textOf(differences), ...alarms);
}

/** The fewest devices, of a series, with which the power is as promised. */
function noisedRow({ rho, columns }: Noised): string {
  const { threshold } = defaultWatch;
  for (const participants of [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000]) {
    const one = { reference: participants, participants, columns, examples: 50, differences: alike, rho };
    // Few periods tell that it is far away.
    if (alarmsAt(2 * threshold, 20, one) < 0.7) continue;
    const [half, twice] = [threshold / 2, 2 * threshold].map((index) =>
      alarmsAt(index, MOVED_WITH_NOISE, one),
    );
    if (twice !== undefined && half !== undefined && twice >= 0.9 && half <= 0.1)
      return line(rho, columns, participants, percent(half), percent(twice));
  }
  return line(rho, columns, 'more than 20000', '', '');
}

function withNoise(sums: Sums, columns: number, rho: number | null, random: RandomSource) {
  if (rho === null) return { sums, variance: 0 };
  return noisy(sums, largestNorm(binningOf(columns), defaultWatch.minimum), rho, random);
}

function textOf(differences: Differences, missing: Missing['kind'] = 'none'): string {
  const lost = {
    none: '',
    differs: '; shares of missing values differ',
    'some devices': '; one in ten lacks half of its values',
    'two kinds': '; every other one lacks nine tenths of its values',
  }[missing];
  const { kind } = differences;
  if (kind === 'alike') return `all alike${lost}`;
  if (kind === 'means') return `means differ by ${differences.deviation}${lost}`;
  if (kind === 'skewed means') return `means differ by ${differences.deviation}, skewed${lost}`;
  if (kind === 'means and spreads') return `means differ by ${differences.deviation}, spreads too${lost}`;
  const of = differences.means.join(' : ');
  return kind === 'property'
    ? `one category a device, ${of}`
    : `categories ${of} differ, concentration ${differences.concentration}`;
}

function line(...cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

const pools = new Map<string, Pool>();

function poolOf(devices: Devices, draw = 0): Pool {
  const key = JSON.stringify([devices, draw]);
  const known = pools.get(key) ?? drawPool(devices, draw);
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

/** The shift of the mean of a standard normal column that has this index over deciles. */
function shiftWith(index: number): number {
  let [low, high] = [0, 4];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (trueIndex(middle) < index) low = middle;
    else high = middle;
  }
  return low;
}

function write(rows: Readonly<Record<'quiet' | 'moved' | 'few' | 'noised', readonly string[]>>): void {
  const { threshold, every } = defaultWatch;
  const page = `# Promises of verdicts, on drawn devices

Made by \`pnpm experiment verdicts\` with fixed seeds: the same figures each time. Columns are standard normal, in ten bins of equal shares, or have categories. Devices are alike, or each has a distribution of its own, in each column independently. Verdicts are those of \`packages/continuity\` with its ordinary settings: threshold ${threshold}, one false alarm in ${every} periods.

## False alarms in ${QUIET} quiet periods

Each period is held against a reference of its own. ${QUIET / every} alarms of drift are promised, and as many of data quality; the promise is broken where there are more than ${atMost(QUIET, 1 / every)}, which chance reaches in one of a thousand such rows. _By chance alone_ has a threshold of 0, and so has data quality. _Tested_ is the mean number of histograms: the others are withheld, since chance could reach any shift. Noise is that of the stated cost of a sum in zero-concentrated differential privacy, for the largest report of so many columns. Means that are _skewed_ have a lognormal distribution; _concentration_ is that of a Dirichlet distribution.

| devices of the reference | of the period | columns | examples of each | devices are | noise | tested | alarms by chance alone | alarms with the threshold | data quality | promise |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.quiet.join('\n')}

## Power, and the same verdict for few and for many examples

One column moves, by half of the threshold or by twice it. The reference is of 200 devices; ${MOVED} periods a row. Promised: an alarm in at most 10 % of periods at half, and in at least 90 % at twice, at 1,000 and at 100,000 examples.

| examples | devices × examples | columns | devices are | alarms at half | alarms at twice | promise |
|---|---|---|---|---|---|---|
${rows.moved.join('\n')}

## Power with few devices

One column moves by the stated population stability index, of which 0.1 is the threshold. Nothing is promised at twice the threshold: ${MOVED} periods a row show which shifts so few devices tell.

| devices of the reference | of the period | examples of each | columns | devices are | alarms at 0.05 | at 0.2 | at 0.5 | at 1 | at 2 |
|---|---|---|---|---|---|---|---|---|---|
${rows.few.join('\n')}

## Power with noise

The fewest devices of the series 50, 100, 200, 500, … 20,000 with which a column that moved by twice the threshold has an alarm in at least 90 % of ${MOVED_WITH_NOISE} periods, and by half of it in at most 10 %. ρ is the cost of each sum; reference and period have as many devices and the same noise, a device has 50 examples, and all are alike.

| ρ | columns | devices | alarms at half | alarms at twice |
|---|---|---|---|---|
${rows.noised.join('\n')}
`;
  writeFileSync(join(results, 'verdicts.md'), page);
}
