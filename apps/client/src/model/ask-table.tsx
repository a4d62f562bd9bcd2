import type { DataSchema, TableData } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';
import { useEffect, useRef, useState } from 'preact/hooks';
import { attempt, attemptInView } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import type { OwnExample } from '../worker/api.ts';
import { Answers } from './answers.tsx';
import { FeatureField } from './feature-field.tsx';
import { asked, useAnswer } from './use-answer.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    own: 'Take one of mine',
    none: 'You have no examples yet.',
    file: 'Take a row from a file…',
    row: (at: number, of: number) => `Row ${n(at)} of ${n(of)}`,
    noRow: 'No row of this file fits.',
    previousRow: 'Previous row',
    nextRow: 'Next row',
    page: (from: number, to: number, of: number) => `Columns ${n(from)}–${n(to)} of ${n(of)}`,
    previous: 'Previous columns',
    next: 'Next columns',
  },
  {
    own: '取一个我的样本',
    none: '你还没有样本。',
    file: '从文件取一行…',
    row: (at, of) => `第 ${n(at)} 行，共 ${n(of)} 行`,
    noRow: '文件中没有可用的行。',
    previousRow: '上一行',
    nextRow: '下一行',
    page: (from, to, of) => `第 ${n(from)}–${n(to)} 列，共 ${n(of)} 列`,
    previous: '前面的列',
    next: '后面的列',
  },
);

/** Columns whose fields are shown at once. */
const PAGE = 40;

/** The rows of a file, and the one that is asked about. */
interface FileRows {
  readonly rows: readonly OwnExample[];
  readonly at: number;
}

/** Asks the model about a row: typed, one of the person's examples, or one of a file. The numbers asked are the exact ones. */
export function AskTable({ data }: { data: TableData }) {
  const t = text();
  const [values, setValues] = useState<readonly number[]>(() => data.features.map(startOf));
  const [truth, setTruth] = useState<number | null>(null);
  const [input, setInput] = useState(0);
  const [told, setTold] = useState('');
  const [page, setPage] = useState(0);
  const [file, setFile] = useState<FileRows | null>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const { answer, ask } = useAnswer(async () =>
    values.every(Number.isFinite) ? asked([...values]) : undefined,
  );
  useEffect(() => ask(), [values, ask]);
  const take = ({ features, label }: OwnExample) => {
    setTruth(Number.isNaN(label) ? null : label);
    setValues(features);
  };
  const takeOwn = async () => {
    const example = await attempt('own example', () => participant().randomExample());
    setTold(example === null ? t.none : '');
    setFile(null);
    if (example) take(example);
  };
  const takeRow = (rows: readonly OwnExample[], at: number) => {
    const row = rows[at];
    setTold(row === undefined ? t.noRow : '');
    setFile(row === undefined ? null : { rows, at });
    if (row !== undefined) take(row);
  };
  const open = async (chosen: File) => {
    const rows = await attemptInView('row of a file', () => participant().rowsOf(chosen));
    if (rows !== undefined) takeRow(rows, 0);
  };
  const from = page * PAGE;
  return (
    <div class="stack">
      <div class="mapping">
        {data.features.slice(from, from + PAGE).map((feature, at) => (
          <FeatureField
            key={from + at}
            id={`ask-${from + at}`}
            feature={feature}
            value={values[from + at] ?? Number.NaN}
            onValue={(value) => {
              setTruth(null);
              setInput((before) => before + 1);
              setValues(values.with(from + at, value));
            }}
          />
        ))}
      </div>
      {data.features.length > PAGE && (
        <div class="row">
          <button type="button" class="button small" disabled={page === 0} onClick={() => setPage(page - 1)}>
            {t.previous}
          </button>
          <span class="small quiet">
            {t.page(from + 1, Math.min(from + PAGE, data.features.length), data.features.length)}
          </span>
          <button
            type="button"
            class="button small"
            disabled={from + PAGE >= data.features.length}
            onClick={() => setPage(page + 1)}
          >
            {t.next}
          </button>
        </div>
      )}
      <div class="row">
        <button type="button" class="button" data-testid="predict-own" onClick={() => void takeOwn()}>
          {t.own}
        </button>
        <button type="button" class="button" onClick={() => chooser.current?.click()}>
          {t.file}
        </button>
        <input
          ref={chooser}
          type="file"
          hidden
          accept=".csv,.tsv,.tab,.txt,.xlsx,.parquet,text/csv"
          data-testid="predict-file"
          aria-label={t.file}
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            event.currentTarget.value = '';
            if (chosen !== undefined) void open(chosen);
          }}
        />
        <span class="small quiet" role="status">
          {told}
        </span>
      </div>
      {file !== null && (
        <div class="row" data-testid="predict-rows">
          <button
            type="button"
            class="button small"
            disabled={file.at === 0}
            onClick={() => takeRow(file.rows, file.at - 1)}
          >
            {t.previousRow}
          </button>
          <span class="small" role="status">
            {t.row(file.at + 1, file.rows.length)}
          </span>
          <button
            type="button"
            class="button small"
            disabled={file.at + 1 >= file.rows.length}
            onClick={() => takeRow(file.rows, file.at + 1)}
          >
            {t.nextRow}
          </button>
        </div>
      )}
      <Answers data={data as DataSchema} input={input} asked={answer} truth={truth} />
    </div>
  );
}

/** The number that a field begins with: the first category, or a round number near the mean. */
function startOf(feature: TableData['features'][number]): number {
  return feature.kind === 'category' ? 0 : Number(feature.mean.toPrecision(4));
}
