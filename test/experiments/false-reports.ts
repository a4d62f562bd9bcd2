import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultWatch } from '@coppice/continuity';
import * as alarms from './false-reports/alarms.ts';
import * as canaries from './false-reports/canaries.ts';
import * as comparisons from './false-reports/comparisons.ts';

/*
 * The harm that devices do which tell other counts than they have, and the devices that a gate needs under noise: on drawn devices, with
 * fixed seeds.
 */
const results = fileURLToPath(new URL('../../docs/results', import.meta.url));

/** Devices, and the false ones among them. */
type Numbers = readonly [devices: number, falseDevices: number];

const alarmRows: readonly Numbers[] = [
  [10, 1],
  [20, 1],
  [30, 1],
  [50, 5],
  [50, 10],
  [100, 5],
  [100, 10],
  [300, 15],
  [1000, 20],
];
const hiddenRows = [10, 20, 30, 50, 100];
const referenceRows: readonly Numbers[] = [
  [50, 10],
  [50, 5],
  [100, 20],
  [100, 10],
];
const comparisonRows: readonly Numbers[] = [
  [50, 0],
  [50, 1],
  [50, 5],
  [100, 0],
  [100, 2],
  [100, 10],
  [500, 0],
  [500, 10],
  [500, 50],
];
const canaryRows = [0, 4, 20];
const silenceRows = [0, 20, 50];
const silentShares = [0, 0.1, 0.2, 0.3, 0.5];

const forms: readonly comparisons.Form[] = [
  { classes: 10, older: true },
  { classes: 2, older: true },
  { classes: null, older: false },
];

/** Writes docs/results/false-reports.md. */
export async function falseReports(): Promise<void> {
  const page = pageOf({
    raised: alarmRows.map(([devices, falseDevices]) => {
      const raised = alarms.kindsOfLies.map((lie) => {
        const { drift, quality } = alarms.falseAlarms(devices, falseDevices, lie);
        return `${drift} / ${quality}`;
      });
      return line(devices, falseDevices, ...raised);
    }),
    hidden: hiddenRows.map((devices) => {
      const { honest, hidden } = alarms.alarmsOfShift(devices);
      return line(devices, honest, hidden);
    }),
    references: referenceRows.map(([devices, falseDevices]) =>
      line(devices, falseDevices, alarms.alarmsAfterFalseReference(devices, falseDevices)),
    ),
    compared: [20, 8].flatMap((each) => comparisonRows.map((numbers) => comparisonRow(numbers, each))),
    errors: canaryRows.map((falseDevices) => {
      const { CANARIES, rolledBack } = canaries;
      const promoted = [0.1, 0.2].map((more) => CANARIES - rolledBack(falseDevices, more, false));
      return line(falseDevices, rolledBack(falseDevices, 0, true), ...promoted);
    }),
    silenced: silenceRows.map((falseDevices) =>
      line(falseDevices, percent(canaries.takenBackBySilence(falseDevices) / canaries.SILENCED)),
    ),
    silent: [50, 200, 1000].map((devices) =>
      line(devices, ...silentShares.map((share) => percent(canaries.foundSilent(devices, share)))),
    ),
    needed: forms.flatMap((form) => [0.005, 0.01, 0.1].map((rho) => neededRow(form, rho))),
  });
  writeFileSync(join(results, 'false-reports.md'), page);
}

function comparisonRow([devices, falseDevices]: Numbers, each: number): string {
  const form = { classes: 10, older: true };
  const passed = (candidate: comparisons.Candidate, won: boolean) =>
    comparisons.passed({ form, candidate, devices, each, falseDevices, won }, comparisons.COMPARISONS);
  return line(
    each,
    devices,
    falseDevices,
    passed('better', false),
    passed('equal', true),
    passed('worse', true),
  );
}

function neededRow(form: comparisons.Form, rho: number): string {
  const needed = (candidate: comparisons.Candidate) =>
    comparisons.devicesNeeded(form, candidate, rho)?.toLocaleString('en') ?? `more than ${mostDevices}`;
  return line(
    form.classes ?? 'none (a number), recent ones alone',
    rho,
    comparisons.deviationOf(form, rho).toFixed(1),
    needed('better'),
    needed('slightlyBetter'),
  );
}

const mostDevices = comparisons.STEPS.at(-1)?.toLocaleString('en');

function line(...cells: readonly (string | number)[]): string {
  const row = `| ${cells.join(' | ')} |`;
  process.stderr.write(`${row}\n`);
  return row;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

function pageOf(
  rows: Record<
    'raised' | 'hidden' | 'references' | 'compared' | 'errors' | 'silenced' | 'silent' | 'needed',
    readonly string[]
  >,
): string {
  const { COLUMNS, PREDICTIONS, PERIODS, SHIFT } = alarms;
  const { COMPARISONS, NOISED, MOST_PASS, STEPS } = comparisons;
  const { DEVICES, CANARIES, SILENCED, OUTCOMES, ERROR } = canaries;
  const { older, worst, alpha, fewest } = comparisons.rule;
  return `# False reports, on drawn devices

Made by \`pnpm experiment false-reports\` with fixed seeds: the same figures each time. False devices tell counts that they do not have, all the same lie, within the bounds of what the coordinator accepts. Sums, verdicts, gate, canary and noise are those of \`packages/continuity\` and \`packages/federation\`.

## Alarms

${COLUMNS} numeric columns in ten bins of equal shares and one of three categories, predictions of two classes, ${PREDICTIONS} predictions of each device; a false one claims 60,000. Devices are alike; honest ones have no missing values and no unknown categories. The rule is the default one: threshold ${defaultWatch.threshold}, one false alarm in ${defaultWatch.every} periods, of drift and of data quality each. Each period is held against a reference of its own, of as many devices. All figures are periods with an alarm, of ${PERIODS}.

### Raised by false devices

Nothing has changed. The lie: all values in the last bin of each column; all values of the categories unknown; all values of one numeric column missing. Alarms of drift / of data quality:

| devices | false ones | ${alarms.kindsOfLies.join(' | ')} |
|---|---|---|---|---|
${rows.raised.join('\n')}

### Hidden by one false device

One numeric column has moved by ${SHIFT} standard deviations. The false device puts all its values of this column into one bin: of the ten, the one with which fewest alarms are left.

| devices | alarms with honest devices alone | alarms with one false device among them |
|---|---|---|
${rows.hidden.join('\n')}

### After a reference of false devices

Devices that took part in the reference had all values in the last bin of each column. Those of the period are honest, and nothing has changed.

| devices | false ones in the reference | alarms |
|---|---|---|
${rows.references.join('\n')}

## Comparisons

10 classes; a gate with an \`alpha\` of ${alpha}, \`older\` ${older}, \`worst\` ${worst} and \`fewest\` ${fewest}. Both models have 70 % of recent examples right; 20 % more are right by one of them alone. They are right in the candidate's favour and in that of production in 15 and 5 % (10 points better), in 10 and 10 % (equal), and in 7.5 and 12.5 % (5 points worse). On older examples it is 80 %, and 5 % each. False devices say that the candidate lost all of 200 examples of each slice where it is better, and that it won them where it is equal or worse. All figures are comparisons that the gate passes, of ${COMPARISONS}.

| examples of each slice | devices | false ones | 10 points better, called worse | equal, called better | 5 points worse, called better |
|---|---|---|---|---|---|
${rows.compared.join('\n')}

## Canaries

${DEVICES} devices with ${OUTCOMES} outcomes each; the error of each is half to three halves of the mean, which is ${ERROR} in production. An \`alpha\` of ${canaries.rule.alpha}, \`silence\` left out, a \`margin\` of ${canaries.rule.margin}; the first look is the last.

### By errors

Groups of ${DEVICES / 2} devices, with an equal part of the false ones in each. These tell an error of 1 in one group and of 0 in the other: against the candidate where it is equal, for it where its error is higher. Of ${CANARIES} canaries:

| false devices | equal, rolled back | 10 points higher, promoted | 20 points higher, promoted |
|---|---|---|---|
${rows.errors.join('\n')}

### By silence

Each device has its group by a fair draw. False devices report in the control group, and are silent in the canary's; the candidate is equal. Of ${SILENCED} canaries:

| false devices | taken back for the number of devices |
|---|---|
${rows.silenced.join('\n')}

### Silent devices

All are honest, and a share of the canary's devices is silent. Exact probabilities that the last look takes the canary back for the number of its devices, at a level of ${canaries.rule.alpha / 10}:

| devices with outcomes | ${silentShares.map((share) => (share === 0 ? 'none silent' : `${100 * share} %`)).join(' | ')} |
|---|---|---|---|---|---|
${rows.silent.join('\n')}

## Devices that a gate needs under noise

The same candidates and gate as above, honest devices alone, 20 examples of each slice on each. The candidate is better on recent examples by 10 points, or by 5 (12.5 and 7.5 %); for a target that is a number, a hit is an error that is smaller. ρ is the cost of the sum in zero-concentrated differential privacy. The fewest devices, of the steps ${STEPS.map((one) => one.toLocaleString('en')).join('; ')}, from which on at least ${MOST_PASS} of ${NOISED} comparisons pass at each step:

| classes | ρ | deviation of the noise | 10 points better | 5 points better |
|---|---|---|---|---|
${rows.needed.join('\n')}
`;
}
