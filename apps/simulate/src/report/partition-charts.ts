import { barChart, MOST_BARS } from './charts/bar-chart.ts';
import { type Figure, figure } from './charts/figure.ts';
import { heatMap } from './charts/heat-map.ts';
import { formatCount, formatRound } from './format.ts';
import { html, type Markup } from './html.ts';
import { thin } from './thin.ts';

/** Distribution of the examples over the clients. */
export interface Partition {
  /** Number of examples of each client. */
  readonly perClient: readonly number[];
  /** clients × classes, counts; null where the task has no classes. */
  readonly classesPerClient: readonly (readonly number[])[] | null;
}

const JSON_FILE = 'report.json';

/** Charts of the examples' distribution. Both show the same clients, in columns. */
export function partitionCharts({ perClient, classesPerClient }: Partition): readonly Markup[] {
  if (perClient.length === 0) return [];
  const clients = thin([...perClient.keys()], MOST_BARS);
  const note =
    clients.length < perClient.length
      ? ` Drawn for ${clients.length} of ${formatCount(perClient.length)} clients, evenly spaced.`
      : '';
  const charts = [examplesChart(perClient, clients, note)];
  if (classesPerClient !== null && (classesPerClient[0]?.length ?? 0) > 0)
    charts.push(classesChart(classesPerClient, clients, note));
  return charts.map(figure);
}

/** A client's name, counted from 1. */
function clientName(index: number): string {
  return String(index + 1);
}

function examplesChart(perClient: readonly number[], clients: readonly number[], note: string): Figure {
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
      bars: clients.map((client) => ({ label: clientName(client), parts: [perClient[client] as number] })),
      format: formatCount,
      formatTick: (value) => (Number.isInteger(value) ? formatCount(value) : formatRound(value)),
    }),
    table: {
      columns: ['Client', 'Examples'],
      rows: perClient.map((examples, client) => [clientName(client), formatCount(examples)]),
      allIn: JSON_FILE,
    },
  };
}

function classesChart(
  classesPerClient: readonly (readonly number[])[],
  clients: readonly number[],
  note: string,
): Figure {
  const title = 'Classes per client';
  const classes = (classesPerClient[0] as readonly number[]).map((_, index) => String(index));
  const held = classesPerClient.map((counts) => counts.filter((count) => count > 0).length);
  const average = held.reduce((sum, count) => sum + count, 0) / held.length;
  const most = classesPerClient.reduce((top, counts) => Math.max(top, ...counts), 0);
  const summary = `A client holds ${formatRound(Number(average.toFixed(1)))} of ${classes.length} classes on average.${note}`;
  return {
    title,
    summary,
    legend: html`<ul class="legend"><li>none</li><li class="scale"></li><li>${formatCount(most)} examples</li></ul>`,
    drawing: heatMap({
      name: `${title}. ${summary}`,
      xName: 'Client',
      yName: 'class',
      xLabels: clients.map(clientName),
      yLabels: classes,
      cells: clients.map((client) => classesPerClient[client] as readonly number[]),
    }),
    table: {
      columns: ['Client', ...classes.map((name) => `Class ${name}`)],
      rows: classesPerClient.map((counts, client) => [clientName(client), ...counts.map(formatCount)]),
      allIn: JSON_FILE,
    },
  };
}
