import type { SkippedRows, UnlistedValues } from '@coppice/datasets';
import type { ColumnMapping } from '@coppice/datasets/reading';
import { classesOf, type Feature, type TableData } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';
import { useRef, useState } from 'preact/hooks';
import { participant } from '../link/participant.ts';
import type { TablePreview } from '../worker/api.ts';
import { busy, change } from './data.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'Add a CSV file',
    choose: 'Choose a CSV file…',
    drop: 'Or drop one here. You see it before anything is added.',
    rows: (shown: number, total: number) => `First ${n(shown)} of ${n(total)} rows`,
    map: 'Which column holds what?',
    column: (name: string) => `Column for “${name}”`,
    none: '– choose –',
    add: (total: number) => `Add ${n(total)} rows`,
    cancel: 'Cancel',
    incomplete: 'Choose a column for each first.',
    added: (count: number) =>
      count === 0 ? 'No rows added.' : `${n(count)} ${count === 1 ? 'row' : 'rows'} added.`,
    skipped: (count: number) => `${n(count)} ${count === 1 ? 'row' : 'rows'} skipped:`,
    both: (added: string, skipped: string) => `${added} ${skipped}`,
    reason: (column: string, why: string) => `${column}: ${why}`,
    missing: (rows: number, first: number) =>
      rows === 1
        ? `no value in row ${n(first)}`
        : `no value in ${n(rows)} rows, the first is row ${n(first)}`,
    notNumber: (value: string, rows: number, first: number) =>
      rows === 1
        ? `“${value}” in row ${n(first)} is not a number`
        : `not a number in ${n(rows)} rows, such as “${value}” in row ${n(first)}`,
    range: (value: string, rows: number, first: number) =>
      rows === 1
        ? `${value} in row ${n(first)} is out of range`
        : `out of range in ${n(rows)} rows, such as ${value} in row ${n(first)}`,
    unknownClass: (value: string, rows: number, first: number) =>
      rows === 1
        ? `“${value}” in row ${n(first)} is not a class`
        : `“${value}” is not a class (${n(rows)} rows, the first is row ${n(first)})`,
    tooMany: (value: string, rows: number, first: number) =>
      rows === 1
        ? `Row ${n(first)} has more cells than there are columns (“${value}”)`
        : `${n(rows)} rows have more cells than there are columns, the first is row ${n(first)} (“${value}”)`,
    more: (rows: number) => `and ${n(rows)} more`,
    unlisted: (values: number) =>
      values === 1
        ? '1 value is not in the task’s list and was taken as any other value:'
        : `${n(values)} values are not in the task’s list and were taken as any other value:`,
    unlistedValue: (value: string, rows: number, first: number) =>
      rows === 1
        ? `“${value}” in row ${n(first)}`
        : `“${value}” in ${n(rows)} rows, the first is row ${n(first)}`,
    classes: (names: string) => `The classes are ${names}. Labels must be one of these names.`,
    quoted: (name: string) => `“${name}”`,
    join: ', ',
    others: (count: number) => `and ${n(count)} more`,
  },
  {
    title: '添加 CSV 文件',
    choose: '选择 CSV 文件…',
    drop: '也可拖到这里。添加之前会先给你预览。',
    rows: (shown, total) => `前 ${n(shown)} 行，共 ${n(total)} 行`,
    map: '哪一列是什么？',
    column: (name) => `“${name}”对应的列`,
    none: '– 请选择 –',
    add: (total) => `添加 ${n(total)} 行`,
    cancel: '取消',
    incomplete: '请先为每一项选择一列。',
    added: (count) => (count === 0 ? '未添加任何行。' : `已添加 ${n(count)} 行。`),
    skipped: (count) => `已跳过 ${n(count)} 行：`,
    both: (added, skipped) => `${added}${skipped}`,
    reason: (column, why) => `${column}：${why}`,
    missing: (rows, first) =>
      rows === 1 ? `第 ${n(first)} 行没有值` : `${n(rows)} 行没有值，首次出现在第 ${n(first)} 行`,
    notNumber: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的“${value}”不是数字`
        : `${n(rows)} 行不是数字，例如第 ${n(first)} 行的“${value}”`,
    range: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的 ${value} 超出范围`
        : `${n(rows)} 行超出范围，例如第 ${n(first)} 行的 ${value}`,
    unknownClass: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的“${value}”不是类别名`
        : `“${value}”不是类别名（${n(rows)} 行，首次出现在第 ${n(first)} 行）`,
    tooMany: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的单元格比列多（“${value}”）`
        : `${n(rows)} 行的单元格比列多，首次出现在第 ${n(first)} 行（“${value}”）`,
    more: (rows) => `另有 ${n(rows)} 行`,
    unlisted: (values) => `有 ${n(values)} 处的值不在任务列出的值之中，已按“其他值”处理：`,
    unlistedValue: (value, rows, first) =>
      rows === 1
        ? `第 ${n(first)} 行的“${value}”`
        : `“${value}”（${n(rows)} 行，首次出现在第 ${n(first)} 行）`,
    classes: (names) => `类别有：${names}。标签必须是其中之一。`,
    quoted: (name) => `“${name}”`,
    join: '、',
    others: (count) => `另外 ${n(count)} 个`,
  },
);

interface Opened {
  readonly preview: TablePreview;
  readonly mapping: ColumnMapping;
}

/** An import: the rows that were added and skipped, and the categories in them that the task does not list. */
interface Taken {
  readonly added: number;
  readonly skipped: readonly SkippedRows[];
  readonly unlisted: readonly UnlistedValues[];
}

/** The most reasons, and classes, listed one by one; more would bury the page. */
const NAMED = 10;
/** The most characters of a cell to show. */
const SHOWN = 40;

/** Adds examples from a CSV file: preview, matching of its columns to the task's, import. */
export function CsvAdder({ data }: { data: TableData }) {
  const t = text();
  const input = useRef<HTMLInputElement>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [result, setResult] = useState<Taken | null>(null);
  const [over, setOver] = useState(false);

  const open = async (file: File) => {
    setResult(null);
    const read = await change(async () => {
      const preview = await participant().openTable(file);
      return { preview, mapping: preview.mapping };
    });
    setOpened(read ?? null);
  };
  const add = async ({ mapping }: Opened) => {
    const added = await change(() => participant().addTable(mapping));
    if (added === undefined) return;
    // If no row fits, the columns need correction first.
    if (added.added > 0) setOpened(null);
    setResult(added);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way of two; the button inside is the other
    <div
      class={`drop stack tight ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) void open(file);
      }}
    >
      <h3 class="eyebrow">{t.title}</h3>
      <div class="row">
        <button type="button" class="button" disabled={busy.value} onClick={() => input.current?.click()}>
          {t.choose}
        </button>
      </div>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.tsv,.txt,.data,.xlsx,.parquet,text/csv"
        data-testid="csv-input"
        aria-label={t.choose}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file !== undefined) void open(file);
        }}
      />
      <p class="small quiet">{t.drop}</p>
      {opened !== null && (
        <Mapping
          data={data}
          opened={opened}
          onChange={(mapping) => setOpened({ ...opened, mapping })}
          onAdd={() => void add(opened)}
          onCancel={() => {
            setOpened(null);
            void participant().closeTable();
          }}
        />
      )}
      <div role="status" class="small">
        {result !== null && <Result data={data} result={result} />}
      </div>
    </div>
  );
}

interface MappingProps {
  readonly data: TableData;
  readonly opened: Opened;
  readonly onChange: (mapping: ColumnMapping) => void;
  readonly onAdd: () => void;
  readonly onCancel: () => void;
}

function Mapping({ data, opened: { preview, mapping }, onChange, onAdd, onCancel }: MappingProps) {
  const t = text();
  const complete = mapping.target !== null && mapping.features.every((column) => column !== null);
  const choice = (
    id: string,
    name: string,
    unit: string | undefined,
    value: number | null,
    set: (at: number | null) => void,
  ) => (
    <div class="field" key={name}>
      <label for={`column-${id}`}>
        {name}
        {unit !== undefined && <span class="quiet"> ({unit})</span>}
      </label>
      <select
        id={`column-${id}`}
        class="input"
        aria-label={t.column(name)}
        value={value ?? ''}
        onChange={(event) => set(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
      >
        <option value="">{t.none}</option>
        {preview.columns.map((column, index) => (
          <option key={column} value={index}>
            {column}
          </option>
        ))}
      </select>
    </div>
  );
  return (
    <div class="stack">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label={t.rows(preview.rows.length, preview.total)}>
        <table class="preview">
          <caption class="small quiet">{t.rows(preview.rows.length, preview.total)}</caption>
          <thead>
            <tr>
              {preview.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.rows.slice(0, 5).map((row, index) => (
              <tr key={index}>
                {preview.columns.map((column, at) => (
                  <td key={column}>{row[at] ?? ''}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <fieldset class="mapping">
        <legend>{t.map}</legend>
        {data.features.map((feature, index) =>
          choice(String(index), feature.name, unitOf(feature), mapping.features[index] ?? null, (at) =>
            onChange({ ...mapping, features: mapping.features.with(index, at) }),
          ),
        )}
        {choice('target', data.target.name, undefined, mapping.target, (at) =>
          onChange({ ...mapping, target: at }),
        )}
      </fieldset>
      <div class="row">
        <button
          type="button"
          class="button primary"
          data-testid="csv-add"
          disabled={!complete || busy.value}
          onClick={onAdd}
        >
          {t.add(preview.total)}
        </button>
        <button type="button" class="button" onClick={onCancel}>
          {t.cancel}
        </button>
        {!complete && <span class="small quiet">{t.incomplete}</span>}
      </div>
    </div>
  );
}

function unitOf(feature: Feature): string | undefined {
  return feature.kind === 'category' ? undefined : feature.unit;
}

function Result({ data, result: { added, skipped, unlisted } }: { data: TableData; result: Taken }) {
  const t = text();
  const classes = classesOf(data);
  const unknown = skipped.some(({ kind }) => kind === 'unknown-class');
  return (
    <>
      <p>{skipped.length === 0 ? t.added(added) : t.both(t.added(added), t.skipped(total(skipped)))}</p>
      {skipped.length > 0 && (
        <ul data-testid="csv-skipped">
          {skipped.slice(0, NAMED).map((rows) => (
            <li key={`${rows.kind}/${rows.column}/${rows.value}`}>
              {rows.column === '' ? reason(rows) : t.reason(rows.column, reason(rows))}
            </li>
          ))}
          {skipped.length > NAMED && <li>{t.more(total(skipped.slice(NAMED)))}</li>}
        </ul>
      )}
      {unknown && classes !== null && <p>{t.classes(listOf(classes))}</p>}
      {unlisted.length > 0 && (
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
      )}
    </>
  );
}

function total(groups: readonly { readonly count: number }[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

function shortened(cell: string): string {
  return cell.length > SHOWN ? `${cell.slice(0, SHOWN)}…` : cell;
}

function reason({ kind, value, count, firstRow }: SkippedRows): string {
  const t = text();
  const shown = shortened(value);
  if (kind === 'missing') return t.missing(count, firstRow);
  if (kind === 'not-a-number') return t.notNumber(shown, count, firstRow);
  if (kind === 'out-of-range') return t.range(shown, count, firstRow);
  if (kind === 'too-many-cells') return t.tooMany(shown, count, firstRow);
  return t.unknownClass(shown, count, firstRow);
}

function listOf(names: readonly string[]): string {
  const t = text();
  const others = names.length - NAMED;
  return [...names.slice(0, NAMED).map(t.quoted), ...(others > 0 ? [t.others(others)] : [])].join(t.join);
}
