import type { RoundEvent } from '../events.ts';
import { bestRound } from './best-round.ts';
import { type Bar, barChart, MOST_BARS } from './charts/bar-chart.ts';
import { type Figure, figure, legendKey } from './charts/figure.ts';
import { lineChart } from './charts/line-chart.ts';
import {
  byteUnit,
  formatBytes,
  formatLoss,
  formatPercent,
  formatRound,
  formatSeconds,
  measured,
} from './format.ts';
import { html, type Markup } from './html.ts';

const CSV = 'rounds.csv';

/** Charts of the model and the traffic by round. Values that were never measured have no chart. */
export function roundCharts(rounds: readonly RoundEvent[], target: number | null): readonly Markup[] {
  if (rounds.length === 0) return [];
  const charts = [
    rounds.some(({ accuracy }) => measured(accuracy)) ? accuracyChart(rounds, target) : null,
    rounds.some(({ loss }) => measured(loss)) ? lossChart(rounds) : null,
    secondsChart(rounds),
    bytesChart(rounds),
  ];
  return charts.filter((chart) => chart !== null).map(figure);
}

function accuracyChart(rounds: readonly RoundEvent[], target: number | null): Figure {
  const title = 'Test accuracy';
  const best = bestRound(rounds);
  const last = rounds.at(-1) as RoundEvent;
  const summary = `${formatPercent(last.accuracy)} after round ${last.round}; best ${formatPercent(best?.accuracy ?? null)}, first in round ${best?.round}.`;
  return {
    title,
    summary,
    wide: true,
    drawing: lineChart({
      name: `${title} by round. ${summary}`,
      xName: 'Round',
      points: rounds.map(({ round, accuracy }) => ({ x: round, y: accuracy })),
      format: formatPercent,
      formatTick: shortPercent,
      bounds: [0, 1],
      target: target === null ? null : { y: target, label: `target ${shortPercent(target)}` },
    }),
    table: {
      columns: ['Round', 'Accuracy'],
      rows: rounds.map(({ round, accuracy }) => [String(round), formatPercent(accuracy)]),
      allIn: CSV,
    },
  };
}

function lossChart(rounds: readonly RoundEvent[]): Figure {
  const title = 'Test loss';
  const values = rounds.filter(({ loss }) => measured(loss));
  const first = values[0] as RoundEvent;
  const last = values.at(-1) as RoundEvent;
  const summary =
    first === last
      ? `${formatLoss(last.loss)} in round ${last.round}.`
      : `From ${formatLoss(first.loss)} in round ${first.round} to ${formatLoss(last.loss)} in round ${last.round}.`;
  return {
    title,
    summary,
    drawing: lineChart({
      name: `${title} by round. ${summary}`,
      xName: 'Round',
      points: rounds.map(({ round, loss }) => ({ x: round, y: loss })),
      format: formatLoss,
      formatTick: formatRound,
    }),
    table: {
      columns: ['Round', 'Loss'],
      rows: rounds.map(({ round, loss }) => [String(round), formatLoss(loss)]),
      allIn: CSV,
    },
  };
}

function secondsChart(rounds: readonly RoundEvent[]): Figure {
  const title = 'Time per round';
  const { bars, note } = roundBars(rounds, ({ seconds }) => [seconds]);
  const summary = `${formatSeconds(mean(rounds.map(({ seconds }) => seconds)))} on average.${note}`;
  return {
    title,
    summary,
    drawing: barChart({
      name: `${title}. ${summary}`,
      xName: 'Round',
      bars,
      format: formatSeconds,
      formatTick: (value) => `${formatRound(value)} s`,
    }),
    table: {
      columns: ['Round', 'Seconds', 'Clients'],
      rows: rounds.map((round) => [
        String(round.round),
        round.seconds.toFixed(2),
        String(round.participants),
      ]),
      allIn: CSV,
    },
  };
}

function bytesChart(rounds: readonly RoundEvent[]): Figure {
  const title = 'Traffic per round';
  const { bars, note } = roundBars(rounds, ({ bytesUp, bytesDown }) => [bytesUp, bytesDown]);
  const up = formatBytes(mean(rounds.map(({ bytesUp }) => bytesUp)));
  const down = formatBytes(mean(rounds.map(({ bytesDown }) => bytesDown)));
  const summary = `${up} up from the clients, ${down} down to them, on average.${note}`;
  return {
    title,
    summary,
    legend: html`<ul class="legend">${legendKey('up', 'a')}${legendKey('down', 'b')}</ul>`,
    drawing: barChart({
      name: `${title}. ${summary}`,
      xName: 'Round',
      bars,
      format: formatBytes,
      formatTick: (value) => {
        const [unit, name] = byteUnit(value);
        return value === 0 ? '0' : `${formatRound(value / unit)} ${name}`;
      },
      unit: (most) => byteUnit(most)[0],
    }),
    table: {
      columns: ['Round', 'Up', 'Down'],
      rows: rounds.map(({ round, bytesUp, bytesDown }) => [
        String(round),
        formatBytes(bytesUp),
        formatBytes(bytesDown),
      ]),
      allIn: CSV,
    },
  };
}

/** One bar a round; where there are more rounds than bars fit, each bar is the mean of several adjacent ones. */
function roundBars(
  rounds: readonly RoundEvent[],
  parts: (round: RoundEvent) => readonly number[],
): { readonly bars: readonly Bar[]; readonly note: string } {
  const size = Math.ceil(rounds.length / MOST_BARS);
  const bars: Bar[] = [];
  for (let start = 0; start < rounds.length; start += size) {
    const group = rounds.slice(start, start + size);
    const values = group.map(parts);
    bars.push({
      label: String((group[0] as RoundEvent).round),
      parts: (values[0] as readonly number[]).map((_, part) =>
        mean(values.map((one) => one[part] as number)),
      ),
    });
  }
  return { bars, note: size === 1 ? '' : ` Each bar is the mean of ${size} rounds.` };
}

function shortPercent(share: number): string {
  return `${formatRound(share * 100)}%`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
