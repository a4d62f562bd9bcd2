import { classesOf, type TableData } from '@coppice/protocol';
import { useEffect, useRef, useState } from 'preact/hooks';
import { errorText } from '../../errors/error-texts.ts';
import { busy } from '../data.ts';
import { ColumnsOf, isComplete } from './column-mapping.tsx';
import { confusableClasses } from './confusable-classes.ts';
import { Labels } from './label-mapping.tsx';
import {
  addFile,
  chooseColumns,
  chooseLabels,
  closeFile,
  forgetFiles,
  type OpenedFile,
  type Outcome,
  opened,
  openFiles,
  outcomes,
  readAgain,
  type Taken,
  waiting,
} from './opened-file.ts';
import { Preview } from './preview.tsx';
import { ReadingLine } from './reading-line.tsx';
import { classNames, SkippedReasons, total, Unlisted } from './reasons.tsx';
import { tableText } from './texts.ts';

/** Adds examples from files of tables: what was read and how, the columns and labels, what fits, then the import. */
export function TableAdder({ data }: { data: TableData }) {
  const t = tableText();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  useEffect(() => forgetFiles, []);
  const now = opened.value;
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
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length > 0 && !busy.value) void openFiles(files);
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
        multiple
        accept=".csv,.tsv,.tab,.txt,.xlsx,.parquet,text/csv"
        data-testid="csv-input"
        aria-label={t.choose}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          if (files.length > 0) void openFiles(files);
        }}
      />
      <p class="small quiet">{t.drop}</p>
      {now !== null && <Opened data={data} opened={now} />}
      <div role="status" class="small">
        {now === null && busy.value && waiting.value.length > 0 && <p>{t.opening}</p>}
        {outcomes.value.map((one, at) => (
          <Told key={at} data={data} outcome={one} isOnly={outcomes.value.length === 1} />
        ))}
      </div>
    </div>
  );
}

function Opened({
  data,
  opened: { file, choices, view, mapping, labels, labelsKept, fit },
}: {
  readonly data: TableData;
  readonly opened: OpenedFile;
}) {
  const t = tableText();
  const classes = classesOf(data);
  const complete = isComplete(mapping);
  return (
    <div class="stack" data-testid="table-opened">
      <p class="small">
        {t.file(file.name)}
        {waiting.value.length > 0 && <span class="quiet"> · {t.waiting(waiting.value.length)}</span>}
      </p>
      <ReadingLine reading={view.reading} choices={choices} onChange={(next) => void readAgain(next)} />
      <Preview view={view} />
      <ColumnsOf
        key={view.columns.length}
        data={data}
        view={view}
        mapping={mapping}
        onChange={(next) => void chooseColumns(next)}
      />
      {classes !== null && <Confusable classes={classes} />}
      {classes !== null && fit !== null && (
        <Labels
          classes={classes}
          uses={fit.labels}
          labels={labels}
          kept={labelsKept}
          onChange={(next) => void chooseLabels(next)}
        />
      )}
      <div class="small" role="status" data-testid="table-fit">
        {complete && fit === null && <p>{t.checking}</p>}
        {fit !== null && <Fit data={data} total={view.rows} fit={fit} />}
      </div>
      <div class="row">
        <button
          type="button"
          class="button primary"
          data-testid="csv-add"
          disabled={fit === null || fit.taken === 0 || busy.value}
          onClick={() => void addFile()}
        >
          {t.add(fit?.taken ?? view.rows)}
        </button>
        <button type="button" class="button" disabled={busy.value} onClick={() => void closeFile()}>
          {t.cancel}
        </button>
        {!complete && <span class="small quiet">{t.incomplete}</span>}
      </div>
    </div>
  );
}

/** Classes that a label of another case could mean. */
function Confusable({ classes }: { classes: readonly string[] }) {
  const t = tableText();
  const pair = confusableClasses(classes);
  return pair === null ? null : <p class="note warn small">{t.confusable(...pair)}</p>;
}

function Fit({
  data,
  total: rows,
  fit: { taken, skipped, unlisted },
}: {
  readonly data: TableData;
  readonly total: number;
  readonly fit: Pick<Taken, 'taken' | 'skipped' | 'unlisted'>;
}) {
  const t = tableText();
  const left = total(skipped);
  return (
    <>
      <p>{taken === 0 ? t.fitsNone(Math.max(rows, left)) : t.fits(taken, taken + left)}</p>
      {left > 0 && taken > 0 && <p>{t.leftOut(left)}</p>}
      <SkippedReasons skipped={skipped} />
      <Classes data={data} skipped={skipped} />
      <Unlisted unlisted={unlisted} />
    </>
  );
}

/** The outcome of a file. Its name is said where there are several, and where it was refused. */
function Told({
  data,
  outcome,
  isOnly,
}: {
  readonly data: TableData;
  readonly outcome: Outcome;
  readonly isOnly: boolean;
}) {
  const t = tableText();
  if (outcome.kind === 'refused') {
    const { code, message } = outcome.error;
    const { happened, action } = errorText(code);
    return (
      <div class="note bad" data-testid="table-refused">
        <p>{t.refused(outcome.file)}</p>
        <p>{code === 'data-empty' ? `${happened} ${action}` : <span lang="en">{message}</span>}</p>
      </div>
    );
  }
  return (
    <>
      {!isOnly && <p>{t.file(outcome.file)}</p>}
      <Result data={data} rows={outcome.rows} />
    </>
  );
}

function Result({
  data,
  rows: { taken, skipped, unlisted },
}: {
  readonly data: TableData;
  readonly rows: Taken;
}) {
  const t = tableText();
  return (
    <>
      <p>{skipped.length === 0 ? t.added(taken) : t.both(t.added(taken), t.skipped(total(skipped)))}</p>
      <SkippedReasons skipped={skipped} />
      <Classes data={data} skipped={skipped} />
      <Unlisted unlisted={unlisted} />
    </>
  );
}

/** The task's classes, where a label was none of them. */
function Classes({ data, skipped }: { data: TableData } & Pick<Taken, 'skipped'>) {
  const t = tableText();
  const classes = classesOf(data);
  if (classes === null || !skipped.some(({ kind }) => kind === 'unknown-class')) return null;
  return <p>{t.classes(classNames(classes))}</p>;
}
