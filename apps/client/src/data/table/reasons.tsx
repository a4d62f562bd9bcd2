import type { SkippedRows, UnlistedValues } from '@coppice/datasets';
import { tableText } from './texts.ts';

/** The most reasons, and names, listed one by one; more would bury the page. */
export const NAMED = 10;
/** The most characters of a cell to show. */
const SHOWN = 40;

/** The reasons for which rows are left out, the most frequent first. */
export function SkippedReasons({ skipped }: { skipped: readonly SkippedRows[] }) {
  const t = tableText();
  if (skipped.length === 0) return null;
  return (
    <ul data-testid="csv-skipped">
      {skipped.slice(0, NAMED).map((rows) => (
        <li key={`${rows.kind}/${rows.column}/${rows.value}`}>{t.reason(rows.column, reasonOf(rows))}</li>
      ))}
      {skipped.length > NAMED && <li>{t.more(total(skipped.slice(NAMED)))}</li>}
    </ul>
  );
}

/** Values of categories that the task does not list. */
export function Unlisted({ unlisted }: { unlisted: readonly UnlistedValues[] }) {
  const t = tableText();
  if (unlisted.length === 0) return null;
  return (
    <>
      <p>{t.unlisted(total(unlisted))}</p>
      <ul data-testid="csv-unlisted">
        {unlisted.slice(0, NAMED).map(({ column, value, count, firstRow }) => (
          <li key={`${column}/${value}`}>
            {t.reason(column, t.unlistedValue(shortened(value), count, firstRow))}
          </li>
        ))}
        {unlisted.length > NAMED && <li>{t.more(total(unlisted.slice(NAMED)))}</li>}
      </ul>
    </>
  );
}

/** The sentence that names a task's classes, the first ten of many. */
export function classNames(names: readonly string[]): string {
  const t = tableText();
  const others = names.length - NAMED;
  return [...names.slice(0, NAMED).map(t.quoted), ...(others > 0 ? [t.others(others)] : [])].join(t.join);
}

/** The sum of the counts of groups. */
export function total(groups: readonly { readonly count: number }[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

/** A cell's text, cut where it is long. */
export function shortened(cell: string): string {
  return cell.length > SHOWN ? `${cell.slice(0, SHOWN)}…` : cell;
}

function reasonOf({ kind, value, count, firstRow }: SkippedRows): string {
  const t = tableText();
  const shown = shortened(value);
  if (kind === 'missing') return t.missing(count, firstRow);
  if (kind === 'not-a-number') return t.notNumber(shown, count, firstRow);
  if (kind === 'out-of-range') return t.range(shown, count, firstRow);
  if (kind === 'too-many-cells') return t.tooMany(shown, count, firstRow);
  return t.unknownClass(shown, count, firstRow);
}
