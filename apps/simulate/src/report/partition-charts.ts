import type { Heterogeneity } from '@coppice/datasets';
import { barChart, MOST_BARS } from './charts/bar-chart.ts';
import { type Figure, figure } from './charts/figure.ts';
import { heatMap } from './charts/heat-map.ts';
import { formatCount, formatRound } from './format.ts';
import { html, type Markup } from './html.ts';
import { thin } from './thin.ts';

type Counts = readonly (readonly number[])[];

/** Distribution of the examples over the clients. */
export interface PartitionDescription {
  /** Number of examples of each client. */
  readonly perClient: readonly number[];
  /** clients × classes, counts; null where the task has no classes. */
  readonly classesPerClient: Counts | null;
  readonly classNames: readonly string[] | null;
  /** clients × tenths of the target, counts; null where the target is no number. */
  readonly quantilesPerClient: Counts | null;
  /** clients × tenths of the feature that the partition divides by, counts; null where it divides by none. */
  readonly featurePerClient: Counts | null;
  /** The value of the column that each client has; null where clients have none of their own. */
  readonly clientNames: readonly string[] | null;
  /** Of the classes, or of the tenths of the target. */
  readonly heterogeneity: Heterogeneity;
  readonly featureHeterogeneity: Heterogeneity | null;
}

const JSON_FILE = 'report.json';

/** Charts of the examples' distribution. Both show the same clients, in columns. */
export function partitionCharts(description: PartitionDescription): readonly Markup[] {
  const { perClient, classesPerClient, quantilesPerClient, featurePerClient } = description;
  if (perClient.length === 0) return [];
  const clients = thin([...perClient.keys()], MOST_BARS);
  const note =
    clients.length < perClient.length
      ? ` Drawn for ${clients.length} of ${formatCount(perClient.length)} clients, evenly spaced.`
      : '';
  const nameOf = (client: number) => clientName(client, description.clientNames);
  const charts = [examplesChart(perClient, clients, { note, nameOf })];
  if (classesPerClient !== null && (classesPerClient[0]?.length ?? 0) > 0) {
    const words = {
      title: 'Classes per client',
      row: 'class',
      rows: 'classes',
      names: description.classNames,
    };
    charts.push(groupsChart(classesPerClient, clients, { note, nameOf, ...words }));
  }
  const tenths = { row: 'tenth', rows: 'tenths', names: TENTHS };
  if (quantilesPerClient !== null)
    charts.push(
      groupsChart(quantilesPerClient, clients, {
        note,
        nameOf,
        title: 'Tenths of the target per client',
        ...tenths,
      }),
    );
  if (featurePerClient !== null)
    charts.push(
      groupsChart(featurePerClient, clients, {
        note,
        nameOf,
        title: 'Tenths of the feature per client',
        ...tenths,
      }),
    );
  return charts.map(figure);
}

/** Equal groups of the examples by a number, the smallest first. */
const TENTHS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'];

interface ChartWords {
  readonly note: string;
  readonly nameOf: (client: number) => string;
}

/** A client's number, counted from 1, and the value of its column. */
function clientName(index: number, names: readonly string[] | null): string {
  const name = names?.[index];
  return name === undefined ? String(index + 1) : `${index + 1} (${name})`;
}

function examplesChart(
  perClient: readonly number[],
  clients: readonly number[],
  { note, nameOf }: ChartWords,
): Figure {
  const title = 'Examples per client';
  const sorted = perClient.toSorted((a, b) => a - b);
  const least = sorted[0] as number;
  const most = sorted.at(-1) as number;
  const median = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  const spread =
    least === most
      ? `Every client has ${formatCount(most)}.`
      : `From ${formatCount(least)} to ${formatCount(most)}, median ${formatCount(median)}.`;
  const summary = spread + note;
  return {
    title,
    summary,
    drawing: barChart({
      name: `${title}. ${summary}`,
      xName: 'Client',
      bars: clients.map((client) => ({ label: String(client + 1), parts: [perClient[client] as number] })),
      format: formatCount,
      formatTick: (value) => (Number.isInteger(value) ? formatCount(value) : formatRound(value)),
    }),
    table: {
      columns: ['Client', 'Examples'],
      rows: perClient.map((examples, client) => [nameOf(client), formatCount(examples)]),
      allIn: JSON_FILE,
    },
  };
}

interface GroupWords extends ChartWords {
  readonly title: string;
  /** The word for one group, and for several. */
  readonly row: string;
  readonly rows: string;
  /** The groups' names; null: their numbers from 0. */
  readonly names: readonly string[] | null;
}

function groupsChart(
  counts: Counts,
  clients: readonly number[],
  { note, nameOf, title, row, rows, names }: GroupWords,
): Figure {
  const groups = (counts[0] as readonly number[]).map((_, index) => names?.[index] ?? String(index));
  const held = counts.map((own) => own.filter((count) => count > 0).length);
  const average = held.reduce((sum, count) => sum + count, 0) / held.length;
  const most = counts.reduce((top, own) => Math.max(top, ...own), 0);
  const summary = `A client holds ${formatRound(Number(average.toFixed(1)))} of ${groups.length} ${rows} on average.${note}`;
  const word = row.charAt(0).toUpperCase() + row.slice(1);
  return {
    title,
    summary,
    legend: html`<ul class="legend"><li>none</li><li class="scale"></li><li>${formatCount(most)} examples</li></ul>`,
    drawing: heatMap({
      name: `${title}. ${summary}`,
      xName: 'Client',
      yName: row,
      xLabels: clients.map((client) => String(client + 1)),
      yLabels: groups,
      cells: clients.map((client) => counts[client] as readonly number[]),
    }),
    table: {
      columns: ['Client', ...groups.map((name) => `${word} ${name}`)],
      rows: counts.map((own, client) => [nameOf(client), ...own.map(formatCount)]),
      allIn: JSON_FILE,
    },
  };
}
