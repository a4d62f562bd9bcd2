import { html, type Markup } from '../html.ts';
import { thin } from '../thin.ts';

/** The most rows of a table twin, so that a phone can open a report of a thousand rounds. */
const MOST_ROWS = 1000;

export interface Table {
  readonly columns: readonly string[];
  /** Formatted, one string for each column. */
  readonly rows: readonly (readonly string[])[];
  /** Name of the file with the rows that were left out. */
  readonly allIn: string;
}

export interface Figure {
  readonly title: string;
  /** The chart's message in one sentence, for readers with and without sight. */
  readonly summary: string;
  readonly drawing: Markup;
  readonly legend?: Markup;
  readonly table: Table;
  /** True to take the whole width of the page. */
  readonly wide?: boolean;
}

/** A chart with its title, its summary and the same numbers as a table. */
export function figure({ title, summary, drawing, legend, table, wide = false }: Figure): Markup {
  return html`<figure${wide ? html` class="wide"` : ''}>
<figcaption><h3>${title}</h3><p>${summary}</p></figcaption>
${legend ?? ''}
<div class="plot">${drawing}</div>
${tableTwin(title, table)}
</figure>
`;
}

/** One key of a legend. */
export function legendKey(label: string, swatch: 'a' | 'b'): Markup {
  return html`<li><span class="swatch fill-${swatch}"></span>${label}</li>`;
}

/** One key of a legend of lines. */
export function strokeKey(label: string, look: 'a' | 'b' | 'c'): Markup {
  return html`<li><span class="stroke stroke-${look}"></span>${label}</li>`;
}

function tableTwin(title: string, { columns, rows, allIn }: Table): Markup {
  const shown = thin(rows, MOST_ROWS);
  const left =
    shown.length < rows.length
      ? html`<p class="note">${shown.length} of ${rows.length} rows, evenly spaced; ${allIn} holds all.</p>`
      : '';
  return html`<details><summary>Show as table</summary>
${left}
<div class="scroll" tabindex="0" role="region" aria-label="${title}, as a table"><table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${shown.map(
    (
      row,
    ) => html`<tr>${row.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>
`,
  )}</tbody>
</table></div></details>`;
}
