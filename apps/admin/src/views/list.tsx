import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { act } from './act.ts';
import { Scroll } from './parts.tsx';

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ComponentChildren;
  /** True for the row's header cell. */
  readonly heading?: boolean;
  /** Class of its cells. */
  readonly class?: 'mono' | 'said';
  readonly end?: boolean;
}

/** A column, or `false` where the reader may not use it. */
type MaybeColumn<T> = Column<T> | false;

/** A table with a row for each item. Renders nothing for an empty list. */
export function List<T>({
  label,
  rows,
  keyOf,
  columns,
  caption,
  testId,
  low = false,
}: {
  label: string;
  rows: readonly T[];
  keyOf: (row: T) => string | number;
  columns: readonly MaybeColumn<T>[];
  caption?: string;
  testId?: string;
  low?: boolean;
}) {
  if (rows.length === 0) return null;
  const shown = columns.filter((column) => column !== false);
  return (
    <Scroll label={label} {...(testId === undefined ? {} : { testId })} low={low}>
      <table>
        {caption !== undefined && <caption>{caption}</caption>}
        <thead>
          <tr>
            {shown.map(({ name, end }) => (
              <th key={name} scope="col" class={end ? 'end' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {shown.map(({ name, cell, heading, end, class: of }) =>
                heading ? (
                  <th key={name} scope="row" class={of}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={name} class={end ? 'end' : of}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** A list that is fetched, and refetched after each change. */
export function useList<T>(
  fetchList: () => Promise<T[]>,
): [readonly T[], (work?: () => Promise<unknown>) => void] {
  const [items, setItems] = useState<readonly T[]>([]);
  const load = (work?: () => Promise<unknown>) =>
    void act(async () => {
      await work?.();
      setItems(await fetchList());
    });
  useEffect(() => load(), []);
  return [items, load];
}
