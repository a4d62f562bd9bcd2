import type { Heterogeneity } from '@coppice/datasets';
import { NOT_MEASURED } from './format.ts';
import { html, type Markup } from './html.ts';
import type { PartitionDescription } from './partition-charts.ts';

/** How different the clients are, in figures: distances of each from all, averaged over clients. */
export function heterogeneityFigures({
  heterogeneity,
  featureHeterogeneity,
  classesPerClient,
}: PartitionDescription): Markup {
  const groups = classesPerClient === null ? 'tenths of the target' : 'classes';
  return html`<h2>Heterogeneity</h2><dl class="pairs">${distances(heterogeneity, groups)}${
    featureHeterogeneity === null ? '' : distances(featureHeterogeneity, 'tenths of the feature')
  }<dt>Sizes</dt><dd>coefficient of variation ${short(heterogeneity.sizes.cv)}, Gini ${short(heterogeneity.sizes.gini)}, largest over smallest ${short(heterogeneity.sizes.maxOverMin)}</dd>
</dl>`;
}

function distances({ averages, pairwiseHellinger }: Heterogeneity, groups: string): Markup {
  const rows: [string, string][] = [
    [`Hellinger, ${groups}`, pair(averages.hellinger)],
    [`Jensen-Shannon, ${groups}`, pair(averages.jsDistance)],
    [`Total variation, ${groups}`, pair(averages.totalVariation)],
    [`Kullback-Leibler, ${groups}`, pair(averages.kl)],
    [`Earth mover, ${groups} in order`, pair(averages.emdOrdinal)],
  ];
  if (pairwiseHellinger !== null)
    rows.push([`Hellinger of two clients, ${groups}`, short(pairwiseHellinger)]);
  return html`${rows.map(
    ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>
`,
  )}`;
}

function pair({ mean, weighted }: { readonly mean: number; readonly weighted: number }): string {
  return `${short(mean)}, by examples ${short(weighted)}`;
}

function short(value: number): string {
  if (Number.isNaN(value)) return NOT_MEASURED;
  return Number.isFinite(value) ? value.toFixed(3) : '∞';
}
