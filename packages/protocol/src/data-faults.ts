import * as z from 'zod/mini';
import { confusable, plainText, sameClass } from './class-names.ts';
import { agreedColumns, hasAgreedScaling } from './scaling.ts';
import { classesOf, type DataSchema, DataSchemaSchema, featureWidth, type TableData } from './task.ts';

/** The data schema of a new task: one without contradictions, see `faultsOfData`. Tasks made before this rule are exempt. */
export const NewDataSchemaSchema = DataSchemaSchema.check(({ value, issues }) => {
  for (const { path, message } of faultsOfData(value))
    issues.push({ code: 'custom', input: value, path: [...path], message });
});

/** The most groups of a task, that of any other value included. */
const MAX_GROUPS = 16;

/** Scales outside this range are slips: raw values are float32, and so is the model's input. */
const SCALES = { smallest: 1e-20, largest: 1e20 } as const;

/** The largest magnitude of a mean or of an end of a plausible range: raw values are float32. */
const LARGEST = 1e30;

/** The magnitude of a scaled number from which on training tends to diverge. */
const LARGE_INPUT = 1000;

type Path = readonly (string | number)[];

/** A contradiction in a data schema: where it is, and a sentence that says what to change. */
export interface DataFault {
  readonly path: Path;
  readonly message: string;
}

/** A part of a new task that is allowed, and likely to be a slip. */
export const DataWarningSchema = z.discriminatedUnion('kind', [
  /** Two classes, or two values of a column, that differ only by case, spaces or Unicode form. `column` null: classes. */
  z.strictObject({
    kind: z.literal('confusable-names'),
    column: z.nullable(z.string()),
    names: z.tuple([z.string(), z.string()]),
  }),
  /** The plausible range of a column or of the target, scaled, reaches this magnitude. */
  z.strictObject({ kind: z.literal('large-numbers'), column: z.string(), magnitude: z.number() }),
]);
export type DataWarning = z.infer<typeof DataWarningSchema>;

/**
 * The contradictions in the data schema of a new task: columns of one name, a target among the features, an empty plausible
 * range, a scale that is a slip, classes or values of a column that are the same, groups that cannot be told apart, an
 * agreed scaling without ranges, or beside a given one.
 */
export function faultsOfData(data: DataSchema): DataFault[] {
  const faults = faultsOfNames(data);
  if (data.kind === 'image') return faults;
  const groups = faultOfGroups(data);
  return [
    ...(groups === null ? [] : [{ path: ['groups'], message: groups }]),
    ...faultsOfColumns(data),
    ...faultsOfScales(data),
    ...faultsOfAgreement(data),
    ...faults,
  ];
}

/** What a new task's data schema is warned about; it has no contradictions. */
export function warningsOfData(data: DataSchema): DataWarning[] {
  const warnings = listsOfNames(data).flatMap(({ column, names }): DataWarning[] => {
    const same = confusable(names);
    if (same === null) return [];
    const [first, second] = same;
    return [{ kind: 'confusable-names', column, names: [names[first] as string, names[second] as string] }];
  });
  if (data.kind === 'image' || hasAgreedScaling(data)) return warnings;
  for (const { name, min, max, mean, scale } of numbersOf(data)) {
    const ends = [min, max].filter((end) => end !== undefined);
    const magnitude = Math.max(0, ...ends.map((end) => Math.abs((end - mean) / scale)));
    if (magnitude > LARGE_INPUT) warnings.push({ kind: 'large-numbers', column: name, magnitude });
  }
  return warnings;
}

/** A column of numbers, or a numeric target, and its place in the schema. */
interface Numbers {
  readonly path: Path;
  readonly name: string;
  readonly mean: number;
  readonly scale: number;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

function numbersOf({ features, target }: TableData): Numbers[] {
  const columns = features.flatMap((feature, at): Numbers[] =>
    feature.kind === 'category' ? [] : [{ path: ['features', at], ...feature }],
  );
  if (target.kind === 'class') return columns;
  const targets =
    target.kind === 'number'
      ? [{ path: ['target'], ...target }]
      : target.columns.map((column, at) => ({ path: ['target', 'columns', at], ...column }));
  return [...columns, ...targets.map(({ mean = 0, scale = 1, ...rest }) => ({ ...rest, mean, scale }))];
}

function faultsOfColumns({ features, target }: TableData): DataFault[] {
  const seen = new Map<string, number>();
  const faults: DataFault[] = [];
  for (const [at, { name }] of features.entries()) {
    const key = plainText(name);
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, at);
    else
      faults.push({
        path: ['features', at, 'name'],
        message: `columns ${earlier + 1} and ${at + 1} have the same name, ${JSON.stringify(name)}. A column is found in a file by its name, so each needs its own`,
      });
  }
  const targets =
    target.kind === 'numbers'
      ? target.columns.map(({ name }, at) => ({ name, path: ['target', 'columns', at, 'name'] }))
      : [{ name: target.name, path: ['target', 'name'] }];
  for (const { name, path } of targets) {
    const same = seen.get(plainText(name));
    if (same !== undefined)
      faults.push({
        path,
        message: `the target ${JSON.stringify(name)} is also column ${same + 1} of the features. A model that is given its target learns nothing else; leave it out of the features`,
      });
  }
  return faults;
}

function faultsOfScales(data: TableData): DataFault[] {
  return numbersOf(data).flatMap(({ path, name, mean, scale, min, max }): DataFault[] => {
    const called = JSON.stringify(name);
    const faults: DataFault[] = [];
    if (min !== undefined && max !== undefined && min > max)
      faults.push({
        path: [...path, 'min'],
        message: `the plausible range of ${called} begins at ${min} and ends at ${max}, so no value is in it. Swap them`,
      });
    if (scale < SCALES.smallest || scale > SCALES.largest)
      faults.push({
        path: [...path, 'scale'],
        message: `the scale of ${called} is ${scale}. Values are divided by it; it has the size of their standard deviation, between ${SCALES.smallest} and ${SCALES.largest}`,
      });
    for (const [field, value] of Object.entries({ mean, min, max }))
      if (value !== undefined && Math.abs(value) > LARGEST)
        faults.push({
          path: [...path, field],
          message: `${field} of ${called} is ${value}; values are 32-bit numbers, and stay below ${LARGEST}`,
        });
    return faults;
  });
}

function faultsOfAgreement(data: TableData): DataFault[] {
  if (data.agreed !== undefined)
    return [{ path: ['agreed'], message: 'is what participants agree on later, and is not given' }];
  if (!hasAgreedScaling(data)) return [];
  if (agreedColumns(data).length === 0)
    return [
      { path: ['scaling'], message: 'there is no column of numbers to agree on a scaling for. Leave it out' },
    ];
  return numbersOf(data).flatMap(({ path, name, mean, scale, min, max }): DataFault[] => {
    const called = JSON.stringify(name);
    if (mean !== 0 || scale !== 1)
      return [
        {
          path: [...path, 'scale'],
          message: `the scaling of ${called} is given, and agreed by the participants too. Give it, or let it be agreed`,
        },
      ];
    if (min === undefined || max === undefined || !(min < max))
      return [
        {
          path: [...path, min === undefined ? 'min' : 'max'],
          message: `${called} needs a plausible range, min below max: values are clipped to it before participants agree on a scaling, so that none of them can move it beyond`,
        },
      ];
    return [];
  });
}

/** The reason why the groups that a task declares cannot be told apart; `null`: there is none. */
function faultOfGroups(data: TableData): string | null {
  if (data.groups === undefined) return null;
  const feature = data.features.find(({ name }) => name === data.groups);
  const called = JSON.stringify(data.groups);
  if (feature === undefined)
    return `no column has the name ${called}. Groups are the name of a column of categories`;
  if (feature.kind !== 'category')
    return `the column ${called} is one of numbers. Groups are the name of a column of categories`;
  const groups = featureWidth(feature);
  return groups > MAX_GROUPS
    ? `the column ${called} makes ${groups} groups, one of them for any other value. ${MAX_GROUPS} are the most`
    : null;
}

function faultsOfNames(data: DataSchema): DataFault[] {
  return listsOfNames(data).flatMap(({ one, many, path, names }): DataFault[] => {
    const same = sameClass(names);
    if (same === null) return [];
    const [first, second] = same.map((index) => JSON.stringify(names[index]));
    return [
      {
        path,
        message:
          `${many} ${same[0] + 1} and ${same[1] + 1}, ${first} and ${second}, are the same ${one}. ` +
          'Names must differ by more than white space around them, and numbers must differ in value',
      },
    ];
  });
}

interface NameList {
  readonly one: 'class' | 'value';
  readonly many: 'classes' | 'values';
  readonly path: Path;
  /** The column that has them as values; `null`: they are classes. */
  readonly column: string | null;
  readonly names: readonly string[];
}

/** The lists of names in a data schema that must differ: classes, and values of categories. */
function listsOfNames(data: DataSchema): NameList[] {
  const path = data.kind === 'image' ? ['classes'] : ['target', 'classes'];
  const classes: NameList = {
    one: 'class',
    many: 'classes',
    path,
    column: null,
    names: classesOf(data) ?? [],
  };
  if (data.kind === 'image') return [classes];
  const values = data.features.flatMap((feature, at): NameList[] =>
    feature.kind === 'category'
      ? [
          {
            one: 'value',
            many: 'values',
            path: ['features', at, 'values'],
            column: feature.name,
            names: feature.values,
          },
        ]
      : [],
  );
  return [classes, ...values];
}
