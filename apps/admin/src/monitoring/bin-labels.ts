import type { Binning } from '@coppice/continuity';
import { classesOf, type DataSchema, type DriftVerdict } from '@coppice/protocol';

type Histogram = Pick<DriftVerdict['drift']['results'][number], 'role' | 'name' | 'reference'>;

/** The label of one bin of a histogram. */
export type BinLabel =
  | { readonly kind: 'below' | 'from'; readonly edge: number }
  | { readonly kind: 'between'; readonly low: number; readonly high: number }
  | { readonly kind: 'value'; readonly name: string }
  /** A category that the task does not list. */
  | { readonly kind: 'other' }
  /** Its number, from 1, where nothing more is known. */
  | { readonly kind: 'bin'; readonly number: number };

/**
 * The labels of a histogram's bins.
 *
 * @param binning the bins that the period's reports were made with; null where they are not known, as those of an earlier
 *   reference.
 */
export function binLabels(
  { role, name, reference }: Histogram,
  data: DataSchema | null,
  binning: Binning | null,
): BinLabel[] {
  const labels = namesOf({ role, name }, data) ?? edgesOf({ role, name }, binning);
  return labels?.length === reference.length
    ? labels
    : reference.map((_share, i) => ({ kind: 'bin', number: i + 1 }));
}

/** The label of a group of a task. @param value the index of its column's value; the number of values: any other value. */
export function groupLabel(value: number, data: DataSchema | null): BinLabel {
  const name = data?.kind === 'table' ? data.groups : undefined;
  const labels = name === undefined ? null : namesOf({ role: 'input', name }, data);
  return labels?.[value] ?? { kind: 'bin', number: value + 1 };
}

type Place = Pick<Histogram, 'role' | 'name'>;

/** Labels that the task gives: its classes, and the values of its columns of categories. */
function namesOf({ role, name }: Place, data: DataSchema | null): BinLabel[] | null {
  if (data === null) return null;
  const value = (one: string): BinLabel => ({ kind: 'value', name: one });
  if (role === 'prediction') return classesOf(data)?.map(value) ?? null;
  if (role !== 'input' || data.kind !== 'table') return null;
  const column = data.features.find((feature) => feature.name === name);
  if (column === undefined || !('values' in column)) return null;
  return [...column.values.map(value), { kind: 'other' }];
}

function edgesOf({ role, name }: Place, binning: Binning | null): BinLabel[] | null {
  if (binning === null) return null;
  if (role === 'confidence') return labelsOf(binning.confidence?.edges);
  if (role === 'prediction')
    return binning.prediction.kind === 'number' ? labelsOf(binning.prediction.edges) : null;
  const column = binning.columns.find((one) => one.name === name);
  return column?.kind === 'number' ? labelsOf(column.edges) : null;
}

function labelsOf(edges: readonly number[] | undefined): BinLabel[] | null {
  const [first] = edges ?? [];
  if (edges === undefined || first === undefined) return null;
  return [
    { kind: 'below', edge: first },
    ...edges.slice(1).map((high, i): BinLabel => ({ kind: 'between', low: edges[i] as number, high })),
    { kind: 'from', edge: edges.at(-1) as number },
  ];
}
