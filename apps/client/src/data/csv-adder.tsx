import type { CsvMapping, CsvPreview, SkippedRow } from '@coppice/datasets';
import type { TableData } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';
import { useRef, useState } from 'preact/hooks';
import { participant } from '../link/participant.ts';
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
    added: (count: number) => `${n(count)} ${count === 1 ? 'row' : 'rows'} added.`,
    skipped: (count: number) => `${n(count)} ${count === 1 ? 'row was' : 'rows were'} left out:`,
    row: (row: number, column: string, why: string) => `row ${n(row)}, ${column}: ${why}`,
    missing: 'no value',
    notNumber: (value: string) => `“${value}” is not a number`,
    range: (value: string) => `${value} is out of range`,
    unknownClass: (value: string) => `“${value}” is none of the classes`,
    more: (count: number) => `and ${n(count)} more`,
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
    added: (count) => `已添加 ${n(count)} 行。`,
    skipped: (count) => `有 ${n(count)} 行未添加：`,
    row: (row, column, why) => `第 ${n(row)} 行，${column}：${why}`,
    missing: '没有值',
    notNumber: (value) => `“${value}”不是数`,
    range: (value) => `${value} 超出范围`,
    unknownClass: (value) => `“${value}”不属于任何类别`,
    more: (count) => `另有 ${n(count)} 行`,
  },
);

interface Opened {
  readonly content: string;
  readonly preview: CsvPreview;
  readonly mapping: CsvMapping;
}

/** Skipped rows named one by one; more would bury the page. */
const NAMED = 5;

/** A file is shown first, its columns are matched to the task's, and then its rows are taken over. */
export function CsvAdder({ data }: { data: TableData }) {
  const t = text();
  const input = useRef<HTMLInputElement>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [result, setResult] = useState<{ added: number; skipped: readonly SkippedRow[] } | null>(null);
  const [over, setOver] = useState(false);

  const open = async (file: File) => {
    setResult(null);
    const read = await change(async () => {
      const content = await file.text();
      return { content, ...(await participant().previewCsv(content)) };
    });
    setOpened(read ?? null);
  };
  const add = async ({ content, mapping }: Opened) => {
    const added = await change(() => participant().addCsv(content, mapping));
    if (added === undefined) return;
    setOpened(null);
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
        accept=".csv,.tsv,.txt,text/csv"
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
          onCancel={() => setOpened(null)}
        />
      )}
      <div role="status" class="small">
        {result !== null && <Result result={result} />}
      </div>
    </div>
  );
}

interface MappingProps {
  readonly data: TableData;
  readonly opened: Opened;
  readonly onChange: (mapping: CsvMapping) => void;
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
          choice(String(index), feature.name, feature.unit, mapping.features[index] ?? null, (at) =>
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

function Result({
  result: { added, skipped },
}: {
  result: { added: number; skipped: readonly SkippedRow[] };
}) {
  const t = text();
  return (
    <>
      <p>
        {t.added(added)} {skipped.length > 0 && t.skipped(skipped.length)}
      </p>
      {skipped.length > 0 && (
        <ul>
          {skipped.slice(0, NAMED).map(({ row, why }) => (
            <li key={row}>{t.row(row, why.column, reason(why))}</li>
          ))}
          {skipped.length > NAMED && <li>{t.more(skipped.length - NAMED)}</li>}
        </ul>
      )}
    </>
  );
}

function reason({ kind, value }: SkippedRow['why']): string {
  const t = text();
  if (kind === 'missing') return t.missing;
  if (kind === 'not-a-number') return t.notNumber(value);
  if (kind === 'out-of-range') return t.range(value);
  return t.unknownClass(value);
}
