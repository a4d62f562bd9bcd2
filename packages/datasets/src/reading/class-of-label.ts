import { classFinder } from '@coppice/protocol';

/** The class of each label that a person decided about: its name, or `null` to leave its rows out. */
export type LabelMap = Readonly<Record<string, string | null>>;

/** Finds a name as written, else as the number that it is in its column's format (NaN: it is none). */
export function finderOf(names: readonly string[]): (text: string, value: number) => number | null {
  const find = classFinder(names);
  return (text, value) => find(text) ?? (Number.isNaN(value) ? null : find(String(value)));
}

/**
 * A function that gives a label's class: the person's choice where there is one, else the class that it names.
 *
 * @returns The index of the class; `null` where the label is none, or its rows are to be left out.
 */
export function classOfLabel(
  classes: readonly string[],
  labels: LabelMap,
): (text: string, value: number) => number | null {
  const find = finderOf(classes);
  return (text, value) => {
    const chosen = Object.hasOwn(labels, text) ? labels[text] : undefined;
    if (chosen === undefined) return find(text, value);
    const index = chosen === null ? -1 : classes.indexOf(chosen);
    return index < 0 ? null : index;
  };
}
