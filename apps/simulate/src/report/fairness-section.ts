import type { Fairness } from '../fairness.ts';
import { barChart, MOST_BARS } from './charts/bar-chart.ts';
import { figure } from './charts/figure.ts';
import { formatCount, formatLoss, formatPercent, formatRound } from './format.ts';
import { html, type Markup } from './html.ts';
import { thin } from './thin.ts';

/** The last model on each client's examples. */
export function fairnessSection(fairness: Fairness): Markup {
  const { clients, measure, on } = fairness;
  const format = measure === 'accuracy' ? formatPercent : formatLoss;
  const title = measure === 'accuracy' ? 'Accuracy per client' : 'Error per client';
  const whose =
    on === 'held-out'
      ? 'On the examples that each client held out.'
      : 'On all examples of each client, which it trained on; --held-out keeps some apart.';
  const shown = thin(clients, MOST_BARS);
  const note =
    shown.length < clients.length
      ? ` Drawn for ${shown.length} of ${formatCount(clients.length)} clients.`
      : '';
  const summary = `${whose} Mean ${format(fairness.mean)}, by examples ${format(fairness.weightedMean)}; the tenth served worst ${format(fairness.worstTenth)}, best ${format(fairness.bestTenth)}; standard deviation ${format(fairness.spread)}.${note}`;
  return html`<section><h2>How the model serves each client</h2><div class="charts">${figure({
    title,
    summary,
    wide: true,
    drawing: barChart({
      name: `${title}. ${summary}`,
      xName: 'Client',
      bars: shown.map(({ client, value }) => ({ label: String(client + 1), parts: [value] })),
      format,
      formatTick: (value) => (measure === 'accuracy' ? `${formatRound(value * 100)}%` : formatRound(value)),
    }),
    table: {
      columns: ['Client', 'Examples', measure === 'accuracy' ? 'Accuracy' : 'Error'],
      rows: clients.map(({ client, examples, value }) => [
        String(client + 1),
        formatCount(examples),
        format(value),
      ]),
      allIn: 'report.json',
    },
  })}</div></section>`;
}
