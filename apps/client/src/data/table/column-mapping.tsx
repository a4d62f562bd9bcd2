import type { ColumnMapping } from '@coppice/datasets/reading';
import type { Feature, TableData } from '@coppice/protocol';
import { useState } from 'preact/hooks';
import type { TableView } from '../../worker/open-table.ts';
import { busy } from '../data.ts';
import { tableText } from './texts.ts';

/** Columns of the task on one page of the list. */
const PAGE = 20;
/** Columns of a file beyond which they are chosen by typing: a list for each choice would grow with their square. */
const MOST_LISTED = 60;
/** Names of columns in the sentence that offers the task's order. */
const MOST_NAMED = 12;

/** A column that the task asks for: a feature by its index, or the target. */
interface Wanted {
  readonly at: number | 'target';
  readonly name: string;
  readonly unit: string | undefined;
}

interface ColumnMappingProps {
  readonly data: TableData;
  readonly view: TableView;
  readonly mapping: ColumnMapping;
  readonly onChange: (mapping: ColumnMapping) => void;
}

/**
 * The columns of the file that hold the task's. Where all were found by name it is one line; else those that were not found
 * are asked for. A page of the list has twenty of them.
 */
export function ColumnsOf({ data, view, mapping, onChange }: ColumnMappingProps) {
  const t = tableText();
  const [isAll, setAll] = useState(false);
  const [page, setPage] = useState(0);
  const wanted: Wanted[] = [
    ...data.features.map((feature, at) => ({ at, name: feature.name, unit: unitOf(feature) })),
    { at: 'target' as const, name: data.target.name, unit: undefined },
  ];
  const found = wanted.filter(({ at }) => placeOf(view.mapping, at) !== null);
  const listed = isAll ? wanted : wanted.filter(({ at }) => placeOf(view.mapping, at) === null);
  const from = Math.min(page * PAGE, Math.max(0, listed.length - 1));
  const shown = listed.slice(from, from + PAGE);
  return (
    <div class="stack tight">
      <p class="small" data-testid="table-found">
        {found.length === wanted.length
          ? t.foundAll(found.length)
          : found.length === 0
            ? t.foundNone
            : t.foundSome(found.length, wanted.length)}
      </p>
      {view.byOrder !== null && found.length === 0 && (
        <div class="stack tight">
          <p class="small quiet">{t.inOrderHelp(orderOf(wanted, t))}</p>
          <div class="row">
            <button
              type="button"
              class="button small"
              data-testid="table-in-order"
              disabled={busy.value}
              onClick={() => view.byOrder !== null && onChange(view.byOrder)}
            >
              {t.inOrder}
            </button>
          </div>
        </div>
      )}
      {shown.length > 0 && (
        <fieldset class="mapping">
          {shown.map(({ at, name, unit }) => (
            <div class="field" key={at}>
              <label for={`column-${at}`}>
                {name}
                {unit !== undefined && unit !== '' && <span class="quiet"> ({unit})</span>}
              </label>
              <Chooser
                id={`column-${at}`}
                name={name}
                view={view}
                value={placeOf(mapping, at)}
                set={(place) =>
                  onChange(
                    at === 'target'
                      ? { ...mapping, target: place }
                      : { ...mapping, features: mapping.features.with(at, place) },
                  )
                }
              />
            </div>
          ))}
        </fieldset>
      )}
      {listed.length > PAGE && (
        <div class="row">
          <button
            type="button"
            class="button small"
            disabled={from === 0}
            onClick={() => setPage(Math.max(0, page - 1))}
          >
            {t.previous}
          </button>
          <span class="small quiet">{t.page(from + 1, from + shown.length, listed.length)}</span>
          <button
            type="button"
            class="button small"
            disabled={from + PAGE >= listed.length}
            onClick={() => setPage(page + 1)}
          >
            {t.next}
          </button>
        </div>
      )}
      {!isAll && found.length > 0 && (
        <div class="row">
          <button
            type="button"
            class="button small"
            data-testid="table-all-columns"
            onClick={() => {
              setAll(true);
              setPage(0);
            }}
          >
            {t.all}
          </button>
        </div>
      )}
      {view.columns.length > MOST_LISTED && shown.length > 0 && (
        <datalist id="table-columns">
          {view.columns.map(({ name }, place) => (
            <option key={place} value={name} />
          ))}
        </datalist>
      )}
    </div>
  );
}

interface ChooserProps {
  readonly id: string;
  readonly name: string;
  readonly view: TableView;
  readonly value: number | null;
  readonly set: (place: number | null) => void;
}

function Chooser({ id, name, view: { columns }, value, set }: ChooserProps) {
  const t = tableText();
  if (columns.length > MOST_LISTED)
    return (
      <input
        id={id}
        class="input"
        list="table-columns"
        autocomplete="off"
        aria-label={t.search(name)}
        value={value === null ? '' : columns[value]?.name}
        disabled={busy.value}
        onChange={(event) => {
          const typed = event.currentTarget.value;
          const place = columns.findIndex((column) => column.name === typed);
          set(place < 0 ? null : place);
        }}
      />
    );
  return (
    <select
      id={id}
      class="input"
      aria-label={t.column(name)}
      value={value ?? ''}
      disabled={busy.value}
      onChange={(event) => set(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
    >
      <option value="">{t.choice}</option>
      {columns.map((column, place) => (
        <option key={place} value={place}>
          {column.name}
        </option>
      ))}
    </select>
  );
}

/** Whether each column of the task has one of the file. */
export function isComplete({ features, target }: ColumnMapping): boolean {
  return target !== null && features.every((place) => place !== null);
}

function placeOf(mapping: ColumnMapping, at: number | 'target'): number | null {
  return (at === 'target' ? mapping.target : mapping.features[at]) ?? null;
}

function orderOf(wanted: readonly Wanted[], t: ReturnType<typeof tableText>): string {
  const names = wanted.map(({ name }) => t.quoted(name));
  if (names.length <= MOST_NAMED) return names.join(t.join);
  const last = names.at(-1) as string;
  const left = names.length - MOST_NAMED;
  return [...names.slice(0, MOST_NAMED - 1), t.others(left), last].join(t.join);
}

function unitOf(feature: Feature): string | undefined {
  return feature.kind === 'category' ? undefined : feature.unit;
}
