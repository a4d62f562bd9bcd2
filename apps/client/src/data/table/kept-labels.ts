import type { LabelMap } from '@coppice/datasets/reading';
import { remembered } from '../../link/remembered.ts';

/** The choices of one kind of file. */
interface KeptLabels {
  /** The task, and the names of the file's columns. */
  readonly key: string;
  readonly labels: LabelMap;
}

/** The kinds of files whose choices are kept; the oldest go first. */
const MOST = 20;

const kept = remembered<readonly KeptLabels[]>('labels', [], isKept);

/** The classes that the person chose for the labels of a file with these columns; empty: none yet. */
export function keptLabels(task: string, columns: readonly string[]): LabelMap {
  const key = keyOf(task, columns);
  return kept.value.value.find((one) => one.key === key)?.labels ?? {};
}

/** Keeps the choices for files of a task with these columns. */
export function keepLabels(task: string, columns: readonly string[], labels: LabelMap): void {
  const key = keyOf(task, columns);
  const others = kept.value.value.filter((one) => one.key !== key);
  if (Object.keys(labels).length > 0) kept.set([...others, { key, labels }].slice(-MOST));
  else if (others.length < kept.value.value.length) kept.set(others);
}

/** FNV-1a over the names, since a file may have thousands of them. */
function keyOf(task: string, columns: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const code of new TextEncoder().encode(JSON.stringify(columns)))
    hash = Math.imul(hash ^ code, 0x01000193);
  return `${task}/${columns.length}/${(hash >>> 0).toString(16)}`;
}

function isKept(value: unknown): value is readonly KeptLabels[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one: unknown) =>
        typeof one === 'object' &&
        one !== null &&
        'key' in one &&
        typeof one.key === 'string' &&
        'labels' in one &&
        typeof one.labels === 'object' &&
        one.labels !== null &&
        Object.values(one.labels).every((name) => name === null || typeof name === 'string'),
    )
  );
}
