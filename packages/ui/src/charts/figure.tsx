import './charts.css';
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { saveText } from './save.ts';
import { type TableData, toCsv, toJson } from './table-data.ts';
import { chartWords } from './words.ts';

export interface ChartFigureProps {
  /** Base name of saved files, e.g. `mnist-3-loss`. */
  readonly name: string;
  readonly title: string;
  /** The chart's message in one sentence, for readers who cannot see it and readers in a hurry. */
  readonly summary: string;
  readonly table: TableData;
  /** Format of numbers in the table; files have full precision. The first column is shown unformatted. */
  readonly format: (value: number) => string;
  /** Shown instead of the chart while there is nothing to draw. */
  readonly empty: string | null;
  readonly tools?: ComponentChildren;
  readonly legend?: ComponentChildren;
  readonly testId?: string | undefined;
  readonly onSavePng?: (() => void) | undefined;
  readonly children: ComponentChildren;
}

/** The frame of every chart: title, summary, the switch to its table twin, and files. */
export function ChartFigure(props: ChartFigureProps) {
  const words = chartWords();
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  const { empty, table } = props;
  return (
    <figure class="chart" data-testid={props.testId} aria-labelledby={`${id}-t`} aria-describedby={`${id}-s`}>
      <figcaption class="chart-head">
        <div class="chart-words">
          <h3 class="chart-title" id={`${id}-t`}>
            {props.title}
          </h3>
          <p class="chart-summary" id={`${id}-s`}>
            {empty === null ? props.summary : ''}
          </p>
        </div>
        {empty === null && (
          <div class="chart-tools">
            {!asTable && props.tools}
            <button
              type="button"
              class="chart-tool"
              aria-pressed={asTable}
              title={asTable ? words.showChart : words.showTable}
              onClick={() => setAsTable(!asTable)}
            >
              {words.table}
            </button>
            <button
              type="button"
              class="chart-tool"
              title={words.saveCsv}
              onClick={() => saveText(`${props.name}.csv`, 'text/csv', toCsv(table))}
            >
              {words.csv}
            </button>
            <button
              type="button"
              class="chart-tool"
              title={words.saveJson}
              onClick={() => saveText(`${props.name}.json`, 'application/json', toJson(table))}
            >
              {words.json}
            </button>
            {props.onSavePng !== undefined && !asTable && (
              <button type="button" class="chart-tool" title={words.savePng} onClick={props.onSavePng}>
                {words.png}
              </button>
            )}
          </div>
        )}
      </figcaption>
      {empty !== null ? (
        <p class="chart-empty">{empty}</p>
      ) : asTable ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section class="chart-table" tabIndex={0} aria-label={`${props.title}: ${words.table}`}>
          <TwinTable table={table} format={props.format} />
        </section>
      ) : (
        <>
          {props.children}
          {props.legend}
        </>
      )}
    </figure>
  );
}

function TwinTable({ table, format }: { table: TableData; format: (value: number) => string }) {
  return (
    <table>
      <thead>
        <tr>
          {table.columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.toReversed().map((row) => (
          <tr key={row[0]}>
            {row.map((value, index) =>
              index === 0 ? (
                <th key="x" scope="row">
                  {value}
                </th>
              ) : (
                <td key={table.columns[index]}>
                  {typeof value === 'number' ? format(value) : (value ?? '–')}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
