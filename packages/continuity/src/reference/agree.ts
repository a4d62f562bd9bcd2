import {
  classesOf,
  type DataSchema,
  featureLayerOf,
  groupsOf,
  recipeHash,
  type Task,
  type Topology,
} from '@coppice/protocol';
import { FEATURE_COLUMNS } from '../monitor/feature-columns.ts';
import type { Sums } from '../report/sums.ts';
import type { Binning, ColumnBins, PredictionBins } from './binning.ts';
import { cellsOf, fineEdges, quantileEdges, spanOf } from './edges.ts';
import { referenceOf, type Spread } from './reference.ts';

/** Bins of numbers, of about equal shares of the values. */
const BINS = 10;

/**
 * The first binning of a task: fine bins that its data schema and its model decide. A sum of reports with it tells where the
 * values lie. Pictures have the columns of `pictureColumns` and, where the model has features, those of `featureColumns`.
 */
export function firstBinning({ data, model }: Pick<Task, 'data' | 'model'>): Binning {
  const classes = classesOf(data);
  const groups = groupsOf(data);
  return {
    version: 1,
    recipe: recipeHash(data),
    columns:
      data.kind === 'table'
        ? data.features.map((feature, _, all) => columnOf(feature, cellsOf(all.length)))
        : [...['brightness', 'contrast'].map(shareColumn), ...featureBins(model)],
    prediction: classes === null ? outputOf(data) : { kind: 'class', classes: classes.length },
    confidence: classes === null ? null : { edges: fineEdges(SHARE) },
    ...(groups === null ? {} : { groups: groups.feature.name }),
  };
}

/**
 * The binning that a reference is made with: of the fine bins of numbers neighbours are joined, so that the values of the sum
 * fall into about ten bins of equal shares. Where nothing was seen, fine bins are joined in equal numbers. The spans of moments
 * follow from the bins; that of the labels from the bins that the sum's labels give, where it has any.
 *
 * @param noise the variance of the noise that was added to each number of the sum.
 */
export function agreedBinning(first: Binning, sums: Sums, noise = 0): Binning {
  const seen = referenceOf(first, sums, noise);
  const { prediction, confidence, labels } = seen;
  return {
    ...first,
    columns: first.columns.map((column, i) =>
      column.kind === 'number' ? agreedNumber(column, seen.columns[i]?.spread) : column,
    ),
    prediction: prediction.kind === 'class' ? first.prediction : agreedOutput(prediction, labels?.spread),
    confidence: confidence === null ? null : { edges: joined(confidence.edges, confidence.spread) },
  };
}

/** The facts of a share, such as a confidence. */
const SHARE = { mean: 0, scale: 1, min: 0, max: 1 };

function shareColumn(name: string): ColumnBins {
  return { kind: 'number', name, edges: fineEdges(SHARE), range: [0, 1] };
}

function featureBins(model: Topology): ColumnBins[] {
  if (featureLayerOf(model) === null) return [];
  return Array.from({ length: FEATURE_COLUMNS }, (_, k) => ({
    kind: 'number',
    name: `feature ${k + 1}`,
    edges: fineEdges({ mean: 0, scale: 1 }),
    range: null,
    ofModel: true,
  }));
}

function columnOf(feature: (DataSchema & { kind: 'table' })['features'][number], cells: number): ColumnBins {
  const { name } = feature;
  if (feature.kind === 'category') return { kind: 'category', name, values: feature.values.length };
  const { min, max } = feature;
  const range: [number, number] | null =
    min === undefined && max === undefined ? null : [min ?? -Number.MAX_VALUE, max ?? Number.MAX_VALUE];
  return { kind: 'number', name, edges: fineEdges(feature, cells), range };
}

function outputOf(data: DataSchema): PredictionBins {
  const { mean = 0, scale = 1 } = data.kind === 'table' && data.target.kind === 'number' ? data.target : {};
  return { kind: 'number', edges: fineEdges({ mean, scale }), errorScale: scale };
}

/** An error counts as 1 where it is as large as the range that holds four of five predictions. */
function agreedOutput({ edges, errorScale, spread }: OutputSeen, labels: Spread | undefined): PredictionBins {
  const agreed = joined(edges, spread);
  const range = (agreed.at(-1) as number) - (agreed[0] as number);
  const span = spanOf(edges, wereSeen(labels) ? joined(edges, labels) : agreed, null);
  return {
    kind: 'number',
    edges: agreed,
    errorScale: range > 0 ? range : errorScale,
    ...(span === null ? {} : { span }),
  };
}

function agreedNumber(column: ColumnBins & { kind: 'number' }, spread: Spread | undefined): ColumnBins {
  const edges = joined(column.edges, spread);
  const span = spanOf(column.edges, edges, column.range);
  return { ...column, edges, ...(span === null ? {} : { span }) };
}

interface OutputSeen {
  readonly edges: readonly number[];
  readonly errorScale: number;
  readonly spread: Spread;
}

function joined(edges: readonly number[], spread: Spread | undefined): number[] {
  const bins = edges.length + 1;
  return quantileEdges(
    edges,
    wereSeen(spread) ? spread.shares : new Array<number>(bins).fill(1 / bins),
    BINS,
  );
}

function wereSeen(spread: Spread | undefined): spread is Spread {
  return spread !== undefined && spread.participants > 0;
}
