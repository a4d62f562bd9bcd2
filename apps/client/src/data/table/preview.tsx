import type { TableView } from '../../worker/open-table.ts';
import { tableText } from './texts.ts';

/** The first rows of a file; of many columns, those that the task needs come first. */
export function Preview({ view: { columns, shown, first, rows } }: { view: TableView }) {
  const t = tableText();
  const caption = t.rows(first.length, rows);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label={caption}>
        <table class="preview">
          <caption class="small quiet">{caption}</caption>
          <thead>
            <tr>
              {shown.map((place) => (
                <th key={place} scope="col">
                  {columns[place]?.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {first.map((row, index) => (
              <tr key={index}>
                {shown.map((place, at) => (
                  <td key={place}>{row[at]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {shown.length < columns.length && (
        <p class="small quiet">{t.columnsShown(shown.length, columns.length)}</p>
      )}
    </>
  );
}
