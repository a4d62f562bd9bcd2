import { bestRound } from './best-round.ts';
import { fairnessSection } from './fairness-section.ts';
import { type Flags, publicFlags, repeatWords } from './flags.ts';
import {
  formatBytes,
  formatCount,
  formatLoss,
  formatPercent,
  formatSeconds,
  measured,
  plural,
} from './format.ts';
import { headline } from './headline.ts';
import { heterogeneityFigures } from './heterogeneity-figures.ts';
import { html, type Markup } from './html.ts';
import { partitionCharts } from './partition-charts.ts';
import type { ReportInput } from './report.ts';
import { roundCharts } from './round-charts.ts';
import { style } from './style.ts';

/**
 * The report as one self-contained HTML page: no script, no font, no external resource. The content security policy
 * enforces this in the browser.
 */
export function reportPage(input: ReportInput): string {
  const flags = publicFlags(input.options);
  const target = typeof flags['target-accuracy'] === 'number' ? flags['target-accuracy'] : null;
  const sentence = headline({
    title: input.task.title,
    rounds: input.rounds,
    done: input.done,
    clients: input.partition.perClient.length,
    target,
    planned: input.planned,
    early: input.early?.how ?? null,
  });
  const charts = roundCharts(input.rounds, target);
  const spread = partitionCharts(input.partition);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${sentence}</title>
<style>${style}</style>
</head>
<body>
<header>
<p>Coppice simulation · <time datetime="${isoTime(input.startedAt)}">${readableTime(input.startedAt)}</time></p>
<h1>${sentence}</h1>
</header>
<main>
${input.early === null ? '' : html`<p class="early">${input.early.reason}</p>`}
${facts(input)}
${charts.length === 0 ? '' : html`<section><h2>Round by round</h2><div class="charts">${charts}</div></section>`}
${input.fairness === null ? '' : fairnessSection(input.fairness)}
${spread.length === 0 ? '' : html`<section><h2>How the examples are spread</h2><div class="charts">${spread}</div>${heterogeneityFigures(input.partition)}</section>`}
${repeating(input, flags)}
<section class="columns">
<div><h2>Flags</h2>${pairs(Object.entries(flags).map(([name, value]) => [`--${name}`, flagText(value)]))}</div>
<div><h2>Machine</h2>${pairs(machine(input))}</div>
</section>
</main>
<footer>The same numbers are in rounds.csv, rounds.jsonl and report.json beside this file${input.hasModel ? ', and the last model in model.json and weights.bin' : ''}.</footer>
</body>
</html>
`.toString();
}

function facts({ done, rounds, parameters, partition, task }: ReportInput): Markup {
  const best = bestRound(rounds);
  const tiles: [name: string, value: string, note: string][] = [];
  if (measured(done.accuracy))
    tiles.push(['Test accuracy', formatPercent(done.accuracy), 'after the last round']);
  if (measured(done.error ?? null))
    tiles.push(['Test error', formatLoss(done.error ?? null), 'root mean square, in the unit of the target']);
  if (best !== null) tiles.push(['Best', formatPercent(best.accuracy), `in round ${best.round}`]);
  tiles.push(
    [
      'Rounds',
      formatCount(done.rounds),
      done.roundsToTarget === null ? '' : `target in ${done.roundsToTarget}`,
    ],
    ['Time', formatSeconds(done.seconds), ''],
    ['Clients', formatCount(partition.perClient.length), `${plural(total(partition.perClient), 'example')}`],
    ['Model', formatCount(parameters), `parameters, ${task.id}`],
    ['Up', formatBytes(done.bytesUp), 'from the clients'],
    ['Down', formatBytes(done.bytesDown), 'to the clients'],
  );
  return html`<dl class="facts">${tiles.map(
    ([
      name,
      value,
      note,
    ]) => html`<div><dt>${name}</dt><dd>${value}${note === '' ? '' : html`<small>${note}</small>`}</dd></div>
`,
  )}</dl>`;
}

function repeating({ options, done }: ReportInput, flags: Flags): Markup {
  const overSelect = flags['over-select'];
  const repeats =
    typeof overSelect === 'number' && overSelect > 1
      ? 'With --over-select above 1 the first clients to finish count, so the result depends on timing and repeats only roughly.'
      : 'The same flags, data and version of Coppice give the same checkpoint again:';
  const key = flags['url'] ? ' The admin key of that coordinator is read from COPPICE_ADMIN_KEY.' : '';
  return html`<section><h2>How to repeat this</h2>
<pre><code>${repeatWords(options).map((word, index) => html`${index === 0 ? '' : ' '}<span class="word">${word}</span>`)}</code></pre>
<p>${repeats} <code>${done.checkpoint}</code>${key}</p></section>`;
}

function machine({ machine: { cpu, cores, memoryGiB, node, platform } }: ReportInput): [string, string][] {
  return [
    ['Processor', cpu],
    ['Cores', String(cores)],
    ['Memory', `${memoryGiB} GiB`],
    ['Platform', platform],
    ['Node', node],
  ];
}

function pairs(rows: readonly (readonly [string, string])[]): Markup {
  return html`<dl class="pairs">${rows.map(
    ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>
`,
  )}</dl>`;
}

function flagText(value: Flags[string]): string {
  if (value === null) return 'not given';
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function readableTime(time: number): string {
  return `${isoTime(time).slice(0, 16).replace('T', ' ')} UTC`;
}
