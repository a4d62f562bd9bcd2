import type { TableData } from '@coppice/protocol';
import { classOfLabel, type LabelMap } from './class-of-label.ts';
import type { ColumnMapping } from './map-columns.ts';
import type { Table } from './table.ts';

/** A label in a file that is not written as a class is. */
export interface LabelUse {
  readonly label: string;
  /** Rows that have it. */
  readonly count: number;
  /** The class that it becomes; `null`: none, its rows are left out. */
  readonly found: string | null;
}

/**
 * The labels of a table that are no class exactly as written, with the class that each becomes: as a number, ignoring case, or as
 * the person chose. Of a column with more than some thousand different numbers, these are left out. Empty where the target is no
 * class.
 *
 * @returns The most frequent first.
 */
export function labelUses(
  table: Table,
  mapping: ColumnMapping,
  { target }: TableData,
  labels: LabelMap,
): LabelUse[] {
  const column = mapping.target === null ? undefined : table.columns[mapping.target];
  if (target.kind !== 'class' || column === undefined) return [];
  const { texts, counts } = column.blocks;
  const written = new Set(target.classes.map(plain));
  const classOf = classOfLabel(target.classes, labels);
  const uses = texts.flatMap((label, code): LabelUse[] => {
    if (written.has(plain(label))) return [];
    const found = classOf(label, column.numbers[code] as number);
    const name = found === null ? null : (target.classes[found] as string);
    return [{ label, count: counts[code] as number, found: name }];
  });
  return uses.sort((a, b) => b.count - a.count);
}

function plain(label: string): string {
  return label.normalize('NFC').trim();
}
