import { proposeSchema, readTable } from '@coppice/datasets/reading';
import { lineOf } from './column-lines.ts';
import type { TaskFields } from './task-request.ts';

/** Fields of the form that follow from a file of examples. */
export type ProposedFields = Pick<
  TaskFields,
  'features' | 'target' | 'targetKind' | 'classes' | 'targetMean' | 'targetScale' | 'targetMin' | 'targetMax'
>;

/**
 * Proposes columns, scaling and target from a file of examples, which stays in this browser.
 *
 * @param target the name of the target; empty: the last column.
 * @throws CoppiceError `data-empty` where the file is empty, `data-invalid` where it is no table or has no such column.
 */
export async function proposedFields(file: Uint8Array | Blob, target: string): Promise<ProposedFields> {
  const table = await readTable(file);
  const { data } = proposeSchema(table, { target: target.trim() === '' ? undefined : target.trim() });
  const { features, target: proposed } = data;
  const fields = { features: features.map(lineOf).join('\n'), target: proposed.name };
  const none = { targetMean: '', targetScale: '', targetMin: '', targetMax: '' };
  if (proposed.kind === 'class')
    return { ...fields, ...none, targetKind: 'class', classes: proposed.classes.join('\n') };
  if (proposed.kind === 'numbers') return { ...fields, ...none, targetKind: 'number', classes: '' };
  const text = (value: number | undefined) => (value === undefined ? '' : String(value));
  return {
    ...fields,
    targetKind: 'number',
    classes: '',
    targetMean: text(proposed.mean),
    targetScale: text(proposed.scale),
    targetMin: text(proposed.min),
    targetMax: text(proposed.max),
  };
}
