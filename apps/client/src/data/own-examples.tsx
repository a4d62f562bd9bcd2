import { classesOf, type DataSchema } from '@coppice/protocol';
import { catalogue, formatDateTime, formatNumber } from '@coppice/ui';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../confirmation.tsx';
import { attempt } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { ExampleCanvas } from '../model/example-picture.tsx';
import { chosenTask } from '../run/run.ts';
import type { ExampleList, ShownExample } from '../worker/example-list.ts';
import { change, summary } from './data.ts';
import { sourceName } from './source-name.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'Look at your examples, delete single ones',
    all: 'All classes',
    filter: 'Show',
    range: (from: number, to: number, total: number) => `${n(from)} to ${n(to)} of ${n(total)}, newest first`,
    none: 'No examples of this class.',
    newer: 'Newer',
    older: 'Older',
    list: 'Your examples',
    delete: 'Delete',
    deleteOne: (what: string, place: number, total: number) =>
      `Delete example ${n(place)} of ${n(total)}: ${what}`,
    picture: (label: string) => `Picture of “${label}”`,
    labelled: (target: string, label: string) => `${target}: ${label}`,
    column: (name: string, value: string) => `${name} ${value}`,
    other: 'any other value',
    more: (count: number) => `and ${n(count)} more`,
    join: ', ',
    added: (source: string, when: string | null) => (when === null ? source : `${source}, ${when}`),
    deleteTitle: 'Delete this example?',
    deleteText:
      'It is removed from this browser and cannot be brought back. What the shared model has already learned from it stays in the model.',
    deleted: 'Example deleted.',
  },
  {
    title: '查看样本，逐个删除',
    all: '所有类别',
    filter: '显示',
    range: (from, to, total) => `第 ${n(from)} 至 ${n(to)} 个，共 ${n(total)} 个，最新的在前`,
    none: '该类别没有样本。',
    newer: '较新',
    older: '较旧',
    list: '你的样本',
    delete: '删除',
    deleteOne: (what, place, total) => `删除第 ${n(place)} 个样本（共 ${n(total)} 个）：${what}`,
    picture: (label) => `“${label}”的图片`,
    labelled: (target, label) => `${target}：${label}`,
    column: (name, value) => `${name} ${value}`,
    other: '其他值',
    more: (count) => `另有 ${n(count)} 列`,
    join: '，',
    added: (source, when) => (when === null ? source : `${source}，${when}`),
    deleteTitle: '删除这个样本？',
    deleteText: '它将从本浏览器中移除，无法恢复。共享模型已从中学到的内容仍会保留。',
    deleted: '样本已删除。',
  },
);

/** Examples on a page of the list. */
const PAGE = 24;
/** Columns of a row that are shown; more would hide the button below the fold. */
const COLUMNS = 6;

/** The list of this device's examples, a page at a time, with a button that deletes each. */
export function OwnExamples() {
  const t = text();
  const [open, setOpen] = useState(false);
  return (
    <details class="fold" data-testid="own-examples" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.title}</summary>
      {open && <Examples />}
    </details>
  );
}

function Examples() {
  const t = text();
  const task = chosenTask.value;
  const kept = summary.value;
  const [label, setLabel] = useState<number | null>(null);
  const [from, setFrom] = useState(0);
  const [list, setList] = useState<ExampleList | null>(null);
  const [told, setTold] = useState('');
  const items = useRef<HTMLUListElement>(null);
  /** Place of the deleted example, whose successor gets the focus. */
  const focusNext = useRef<number | null>(null);

  // A new summary is a change of the examples, in another tab too.
  useEffect(() => {
    let current = true;
    void attempt('list', async () => {
      const found = await participant().listExamples({ label, from, count: PAGE });
      if (!current) return;
      // The last example of the last page was deleted.
      if (found.examples.length === 0 && from > 0) setFrom(Math.max(0, from - PAGE));
      else setList(found);
    });
    return () => {
      current = false;
    };
  }, [kept, label, from]);

  useEffect(() => {
    const place = focusNext.current;
    if (place === null) return;
    focusNext.current = null;
    const buttons = items.current?.querySelectorAll('button') ?? [];
    (buttons[Math.min(place, buttons.length - 1)] ?? items.current)?.focus();
  }, [list]);

  if (task === null || list === null) return null;
  const classes = classesOf(task.data);
  const { total, examples } = list;
  const remove = (example: ShownExample, place: number) =>
    ask({
      title: t.deleteTitle,
      text: t.deleteText,
      action: t.delete,
      danger: true,
      act: () => {
        void change(async () => {
          focusNext.current = place;
          await participant().removeExamples([example.id]);
          setTold(text().deleted);
        });
      },
    });
  return (
    <div class="stack tight">
      {classes !== null && (
        <div class="field">
          <label for="example-class">{t.filter}</label>
          <select
            id="example-class"
            class="input"
            data-testid="example-class"
            value={label ?? ''}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setLabel(value === '' ? null : Number(value));
              setFrom(0);
              setTold('');
            }}
          >
            <option value="">{t.all}</option>
            {classes.map((name, index) => (
              <option key={name} value={index}>
                {name}
              </option>
            ))}
          </select>
        </div>
      )}
      <p class="small quiet" data-testid="example-range">
        {total === 0 ? t.none : t.range(from + 1, from + examples.length, total)}
      </p>
      <ul
        ref={items}
        class={task.data.kind === 'image' ? 'thumbs' : 'rows'}
        aria-label={t.list}
        tabIndex={-1}
        data-testid="example-list"
      >
        {examples.map((example, place) => {
          const what = described(example, task.data);
          const when = example.time === null ? null : formatDateTime(example.time);
          const origin = t.added(sourceName(example.source), when);
          return (
            <li key={example.id} title={origin}>
              {task.data.kind === 'image' ? (
                <Thumbnail data={task.data} example={example} label={what} />
              ) : (
                <span>
                  {what}
                  <br />
                  <span class="quiet">{origin}</span>
                </span>
              )}
              <button
                type="button"
                class="button small"
                data-testid="delete-example"
                aria-label={t.deleteOne(what, from + place + 1, total)}
                onClick={() => remove(example, place)}
              >
                {t.delete}
              </button>
            </li>
          );
        })}
      </ul>
      <p class="small" role="status">
        {told}
      </p>
      {total > PAGE && (
        <div class="row">
          <button
            type="button"
            class="button small"
            data-testid="newer"
            disabled={from === 0}
            onClick={() => setFrom(Math.max(0, from - PAGE))}
          >
            {t.newer}
          </button>
          <button
            type="button"
            class="button small"
            data-testid="older"
            disabled={from + examples.length >= total}
            onClick={() => setFrom(from + PAGE)}
          >
            {t.older}
          </button>
        </div>
      )}
    </div>
  );
}

function Thumbnail({
  data,
  example,
  label,
}: {
  data: Extract<DataSchema, { kind: 'image' }>;
  example: ShownExample;
  label: string;
}) {
  return (
    <figure class="thumb">
      <ExampleCanvas data={data} features={example.features} label={label} />
      <figcaption>{data.classes[example.label]}</figcaption>
    </figure>
  );
}

/** An example in words: the class of a picture, or the label and the first columns of a row. */
function described({ features, label }: ShownExample, data: DataSchema): string {
  const t = text();
  if (data.kind === 'image') return t.picture(data.classes[label] ?? '');
  const name = data.target.kind === 'class' ? (data.target.classes[label] ?? '') : decimal(label);
  const columns = data.features.slice(0, COLUMNS).map((feature, i) => {
    const value = features[i] as number;
    return t.column(
      feature.name,
      feature.kind === 'category' ? (feature.values[value] ?? t.other) : decimal(value),
    );
  });
  const more = data.features.length - columns.length;
  return [t.labelled(data.target.name, name), ...columns, ...(more > 0 ? [t.more(more)] : [])].join(t.join);
}

/** A value as it was added: seven digits are those of a float32. */
function decimal(value: number): string {
  return formatNumber(value, { maximumSignificantDigits: 7 });
}
