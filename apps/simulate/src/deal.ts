import {
  featureOf,
  heterogeneity,
  type Partition,
  type PartitionedData,
  parsePartition,
  partition,
  QUANTILES,
  quantileGroups,
  type RawExamples,
  rowsByValue,
} from '@coppice/datasets';
import { CoppiceError, classesOf, type DataSchema } from '@coppice/protocol';
import { type SimulateOptions, UsageError, withClients } from './options.ts';
import type { PartitionDescription } from './report/partition-charts.ts';

/** The examples of a simulation. */
export interface SimulatedData {
  readonly train: RawExamples;
  readonly data: DataSchema;
  /** What files of the person's own became, for the terminal. */
  readonly notes: readonly string[];
  /** The values of a column of the data's own, as text; `null` where there is none of that name. */
  column(name: string): readonly string[] | null;
}

export interface Dealt {
  /** The options with the number of clients that the partition has. */
  readonly options: SimulateOptions;
  /** The rows of each client. */
  readonly rows: readonly Uint32Array[];
  readonly description: PartitionDescription;
}

/** Partitions the training data. @throws UsageError naming the flags: the bounds depend on the data. */
export function dealOut(given: SimulateOptions, examples: SimulatedData): Dealt {
  const { labels } = examples.train;
  const how = parsePartition(given.partition);
  const parts = partsOf(how, examples);
  const options =
    how.kind === 'by-column' && !given.clientsGiven ? withClients(given, new Set(parts.column).size) : given;
  const shards = how.kind === 'shards' ? how.shards : 1;
  const { clients } = options;
  if (clients * shards > labels.length) {
    const named = `${options.task} (${labels.length} examples)`;
    throw new UsageError(
      how.kind === 'shards' && clients <= labels.length
        ? `--partition shards:S takes at most ${Math.floor(labels.length / clients)} shards each for ${clients} clients with ${named}, not "${shards}".`
        : `--clients N takes at most ${labels.length} with ${named}, not "${clients}".`,
    );
  }
  if (how.kind === 'continuous' && classesOf(examples.data) !== null)
    throw new UsageError(
      `--partition continuous:ALPHA spreads numeric targets, and ${options.task} has classes. Use dirichlet:ALPHA.`,
    );
  try {
    const rows = partition(labels, clients, how, options.plan.seed, parts);
    return { options, rows, description: describe(how, rows, examples, parts, clients) };
  } catch (cause) {
    const error = CoppiceError.from(cause);
    if (error.code !== 'config-invalid') throw cause;
    const forms = classesOf(examples.data) === null ? 'iid or shards:S' : 'another form';
    throw new UsageError(
      `--partition HOW takes ${forms} with ${options.task}, not "${options.partition}". ${error.message}`,
      { cause },
    );
  }
}

/** The data that a partition divides by. @throws UsageError for a column that there is not. */
function partsOf(how: Partition, examples: SimulatedData): PartitionedData {
  if (how.kind === 'feature-skew' && how.column === null) return { features: examples.train.features };
  const name = how.kind === 'by-column' || how.kind === 'feature-skew' ? how.column : null;
  if (name === null) return {};
  const column = examples.column(name) ?? columnOf(name, examples);
  if (column === null) {
    const { data } = examples;
    const known = data.kind === 'table' ? data.features.map((feature) => feature.name).join(', ') : 'none';
    throw new UsageError(
      `--partition ${how.kind} takes a column of the data, and there is no "${name}". The columns of the task are: ${known}.`,
    );
  }
  return { column };
}

/** A column of the task's own, as text. */
function columnOf(name: string, { data, train }: SimulatedData): readonly string[] | null {
  if (data.kind === 'image') return null;
  const size = data.features.length;
  const at = data.features.findIndex((feature) => feature.name === name);
  const feature = data.features[at];
  if (feature === undefined) return null;
  return Array.from({ length: train.count }, (_, row) => {
    const value = train.features[row * size + at] as number;
    return feature.kind === 'category' ? (feature.values[value] ?? 'other') : String(value);
  });
}

function describe(
  how: Partition,
  rows: readonly Uint32Array[],
  { train, data }: SimulatedData,
  parts: PartitionedData,
  clients: number,
): PartitionDescription {
  const classes = classesOf(data);
  const counts = (groups: ArrayLike<number>, size: number) =>
    rows.map((own) => {
      const found = new Array<number>(size).fill(0);
      for (const row of own) {
        const group = groups[row] as number;
        found[group] = (found[group] as number) + 1;
      }
      return found;
    });
  const perClass = classes === null ? null : counts(train.labels, classes.length);
  const quantiles =
    classes === null && train.count > 0 ? counts(quantileGroups(train.labels, QUANTILES), QUANTILES) : null;
  const byFeature =
    how.kind === 'feature-skew'
      ? counts(quantileGroups(featureOf(how.column, train.count, parts), QUANTILES), QUANTILES)
      : null;
  const names = how.kind === 'by-column' ? rowsByValue(parts.column ?? []).names : null;
  return {
    perClient: rows.map((own) => own.length),
    classesPerClient: perClass,
    classNames: classes,
    quantilesPerClient: quantiles,
    featurePerClient: byFeature,
    // Names belong to clients only where each has one value.
    clientNames: names !== null && names.length === clients ? names : null,
    heterogeneity: heterogeneity(perClass ?? quantiles ?? rows.map((own) => [own.length])),
    featureHeterogeneity: byFeature === null ? null : heterogeneity(byFeature),
  };
}
