import { figure, strokeKey } from '../../report/charts/figure.ts';
import { lineChart } from '../../report/charts/line-chart.ts';
import { byteUnit, formatBytes, formatPercent, formatRound, formatSeconds } from '../../report/format.ts';
import { html, type Markup } from '../../report/html.ts';
import { style } from '../../report/style.ts';
import { meanAccuracy, type SchemeFigures } from '../figures.ts';
import type { PlayedPeriod } from '../play.ts';
import { happened, noticedText, schemeTitles } from '../progress.ts';
import { type SchemeName, schemeNames } from '../schemes/index.ts';
import type { ScenarioReport } from './report.ts';

const looks = { loop: 'a', fixed: 'b', never: 'c' } as const satisfies Record<SchemeName, string>;
const CSV = 'periods.csv';

/** The report as one self-contained page. It has no date, so that the same seed gives the same page. */
export function scenarioPage(input: ScenarioReport): string {
  const { scenario, seed, event } = input;
  const title = `${scenario.name}: ${scenario.summary}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header>
<p>Coppice scenario · ${scenario.name} · seed ${seed}</p>
<h1>${scenario.summary}</h1>
</header>
<main>
<p>${noticedText(event)}</p>
${facts(input)}
<section><h2>Period by period</h2><div class="charts">${figure(accuracyFigure(input))}${figure(bytesFigure(input))}</div></section>
<section><h2>What it reached, and what it cost</h2>${totals(input)}</section>
<section><h2>How to repeat this</h2>
<pre><code>pnpm scenario ${scenario.name} --seed ${seed}</code></pre></section>
</main>
<footer>The same numbers are in ${CSV} and report.json beside this file. Seconds on devices are computed from the work of training: six operations for a parameter and example, a thousand million a second.</footer>
</body>
</html>
`.toString();
}

function facts({ event, scenario }: ScenarioReport): Markup {
  const { accuracy } = event;
  const tiles: readonly (readonly [string, string, string])[] = [
    [
      'Accuracy at the end',
      formatPercent(accuracy.after),
      `new data alone: ${formatPercent(accuracy.newDataOnly)}`,
    ],
    ['Worst period', formatPercent(accuracy.worst), `before: ${formatPercent(accuracy.before)}`],
    ['Releases', String(event.releases), `rollbacks: ${event.rollbacks}`],
    ['False alarms', String(event.falseAlarms), `in ${event.quietPeriods} quiet periods`],
    ['Rounds', String(event.rounds), `fixed schedule: ${event.baselines.fixed.rounds}`],
    ['Bytes', formatBytes(event.bytes), `fixed schedule: ${formatBytes(event.baselines.fixed.bytes)}`],
    ['Devices', String(scenario.size.participants), `${scenario.size.each} new examples a period each`],
  ];
  return html`<dl class="facts">${tiles.map(
    ([name, value, note]) => html`<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>
`,
  )}</dl>`;
}

function legend(): Markup {
  return html`<ul class="legend">${schemeNames.map((scheme) => strokeKey(schemeTitles[scheme], looks[scheme]))}</ul>`;
}

function marksOf({ scenario }: ScenarioReport) {
  return scenario.changes.flatMap(({ period, until, kind }) => [
    { x: period, label: kind === 'fault' ? 'fault' : 'change' },
    ...(until === null ? [] : [{ x: until + 1, label: 'mended' }]),
  ]);
}

function accuracyFigure(input: ScenarioReport) {
  const { played, event } = input;
  const summary = `The loop ends at ${formatPercent(event.accuracy.after)}, the fixed schedule at ${formatPercent(event.baselines.fixed.accuracy.after)}, the first model at ${formatPercent(event.baselines.never.accuracy.after)}.`;
  const points = (periods: readonly PlayedPeriod[]) =>
    periods.map(({ period, accuracy }) => ({ x: period, y: accuracy }));
  return {
    title: 'Accuracy on new examples',
    summary,
    wide: true,
    legend: legend(),
    drawing: lineChart({
      name: `Accuracy on new examples by period. ${summary}`,
      xName: 'Period',
      points: points(played.loop),
      beside: [
        { points: points(played.fixed), look: looks.fixed },
        { points: points(played.never), look: looks.never },
      ],
      marks: marksOf(input),
      format: formatPercent,
      formatTick: (share: number) => `${formatRound(share * 100)}%`,
      bounds: [0, 1] as const,
    }),
    table: {
      columns: ['Period', ...schemeNames.map((scheme) => schemeTitles[scheme]), 'In the loop'],
      rows: played.loop.map((one, at) => [
        String(one.period),
        ...schemeNames.map((scheme) => formatPercent(played[scheme][at]?.accuracy ?? null)),
        happened(one).join(', '),
      ]),
      allIn: CSV,
    },
  };
}

function bytesFigure(input: ScenarioReport) {
  const { played, event } = input;
  const summary = `${formatBytes(event.bytes)} in the loop, ${formatBytes(event.baselines.fixed.bytes)} on the fixed schedule, all devices together.`;
  const sums = (scheme: SchemeName) => {
    let sum = 0;
    return played[scheme].map(({ period, bytes }) => {
      sum += bytes;
      return { x: period, y: sum };
    });
  };
  const of = { loop: sums('loop'), never: sums('never'), fixed: sums('fixed') };
  return {
    title: 'Bytes since the first release',
    summary,
    wide: true,
    legend: legend(),
    drawing: lineChart({
      name: `Bytes since the first release by period. ${summary}`,
      xName: 'Period',
      points: of.loop,
      beside: [
        { points: of.fixed, look: looks.fixed },
        { points: of.never, look: looks.never },
      ],
      marks: marksOf(input),
      format: formatBytes,
      formatTick: (value: number) => {
        const [unit, name] = byteUnit(value);
        return value === 0 ? '0' : `${formatRound(value / unit)} ${name}`;
      },
    }),
    table: {
      columns: ['Period', ...schemeNames.map((scheme) => schemeTitles[scheme])],
      rows: of.loop.map(({ x }, at) => [
        String(x),
        ...schemeNames.map((scheme) => formatBytes(of[scheme][at]?.y ?? 0)),
      ]),
      allIn: CSV,
    },
  };
}

function totals({ played, event }: ScenarioReport): Markup {
  const figures: Record<SchemeName, SchemeFigures> = { loop: event, ...event.baselines };
  const head = ['', 'Before', 'Worst', 'After', 'Mean', 'Rounds', 'Bytes', 'Device time'];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What each way reached and cost"><table>
<thead><tr>${head.map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
<tbody>${schemeNames.map((scheme) => {
    const { accuracy, rounds, bytes, deviceSeconds } = figures[scheme];
    const cells = [
      ...[accuracy.before, accuracy.worst, accuracy.after, meanAccuracy(played[scheme])].map(formatPercent),
      String(rounds),
      formatBytes(bytes),
      formatSeconds(deviceSeconds),
    ];
    return html`<tr><th scope="row">${schemeTitles[scheme]}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`;
  })}</tbody>
</table></div>`;
}
