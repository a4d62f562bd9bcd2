import type { QualityFinding } from '@coppice/datasets';
import type { Source } from '@coppice/participant';
import { classesOf } from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber, formatShare } from '@coppice/ui';
import { signal } from '@preact/signals';
import { CameraAdder } from '../camera/camera-adder.tsx';
import { ask } from '../confirmation.tsx';
import { participant } from '../link/participant.ts';
import { away } from '../link/session.ts';
import { chosenTask, plan } from '../run/run.ts';
import { busy, change, findings, summary } from './data.ts';
import { Drawing } from './drawing.tsx';
import { OwnExamples } from './own-examples.tsx';
import { PictureAdder } from './picture-adder.tsx';
import { saveFile } from './save-file.ts';
import { sourceName } from './source-name.ts';
import { StorageNote } from './storage-note.tsx';
import { TableAdder } from './table/table-adder.tsx';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'Your examples',
    count: (count: number): string => (count === 1 ? 'example on this device' : 'examples on this device'),
    stays: 'They are kept in this browser and never sent.',
    sampleSize: 'Ready-made examples',
    sample: 'Add them',
    sampleHelp: 'A random share that the coordinator offers, for trying things out.',
    sampleAway: 'They come from the coordinator, which is not reachable right now.',
    some: (count: number) => `${n(count)} examples`,
    adding: 'Adding…',
    duplicates: (count: number) =>
      `${n(count)} ${count === 1 ? 'example is an exact copy' : 'examples are exact copies'} of another. Copies teach nothing new.`,
    tiny: (names: string) =>
      `Few or no examples of: ${names}. The model learns little about what it rarely sees.`,
    imbalance: (v: { largest: string; smallest: string; ratio: string }) =>
      `“${v.largest}” has ${v.ratio} times as many examples as “${v.smallest}”. More of the rare ones make the model fairer.`,
    constant: (name: string) =>
      `The column “${name}” has the same value everywhere: it tells the model nothing.`,
    unlisted: (v: { name: string; count: number }) =>
      `${n(v.count)} ${v.count === 1 ? 'example has' : 'examples have'} a value in “${v.name}” that the task does not list. The model cannot tell such values apart.`,
    drawnShare: (count: number, most: number) =>
      `This device has ${n(count)} examples. A round trains on at most ${n(most)} of them, drawn anew each time.`,
    setAside: (count: number) =>
      count === 1
        ? '1 example was added when this task meant something else: other columns, classes or picture sizes. It stays on this device and is not used.'
        : `${n(count)} examples were added when this task meant something else: other columns, classes or picture sizes. They stay on this device and are not used.`,
    deleteSetAside: 'Delete them',
    sources: 'Where they came from',
    delete: 'Delete',
    deleteSource: (source: string) => `Delete: ${source}`,
    deleteAll: 'Delete all',
    deleteTitle: (count: number) => (count === 1 ? 'Delete this example?' : `Delete ${n(count)} examples?`),
    deleteText:
      'They are removed from this browser and cannot be brought back. What was learned from them and already averaged stays in the model.',
    export: 'Save a copy (CSV)',
    loading: 'Opening what is stored on this device…',
  },
  {
    title: '你的样本',
    count: () => '个样本在本设备上',
    stays: '它们保存在本浏览器中，从不发送。',
    sampleSize: '现成的样本',
    sample: '添加',
    sampleHelp: '由协调器提供的一份随机样本，便于试用。',
    sampleAway: '现成样本来自协调器，目前无法连接。',
    some: (count) => `${n(count)} 个样本`,
    adding: '正在添加……',
    duplicates: (count) => `有 ${n(count)} 个样本与其他样本完全相同。重复的样本不会带来新知识。`,
    tiny: (names) => `这些类别样本很少或没有：${names}。模型对少见的东西学得少。`,
    imbalance: (v) =>
      `“${v.largest}”的样本是“${v.smallest}”的 ${v.ratio} 倍。多添加少见的类别，模型会更公平。`,
    constant: (name) => `“${name}”这一列的值处处相同：对模型没有信息。`,
    unlisted: (v) => `${n(v.count)} 个样本的“${v.name}”不在任务列出的值之中，模型无法区分这些值。`,
    drawnShare: (count, most) =>
      `本设备上有 ${n(count)} 个样本；每轮最多用 ${n(most)} 个训练，每轮重新随机抽取。`,
    setAside: (count) =>
      `有 ${n(count)} 个样本是在本任务含义不同时添加的（列、类别或图片大小不同）。它们仍保存在本设备上，但不会使用。`,
    deleteSetAside: '删除这些样本',
    sources: '样本来源',
    delete: '删除',
    deleteSource: (source) => `删除：${source}`,
    deleteAll: '全部删除',
    deleteTitle: (count) => `删除 ${n(count)} 个样本？`,
    deleteText: '它们将从本浏览器中移除，无法恢复。已从中学到并已汇总的内容仍留在模型里。',
    export: '保存副本（CSV）',
    loading: '正在打开本设备上的内容……',
  },
);

export function DataPanel() {
  const t = text();
  const task = chosenTask.value;
  if (task === null) return null;
  const kept = summary.value;
  return (
    <section class="sheet stack" aria-labelledby="data-title" id="data">
      <h2 id="data-title">{t.title}</h2>
      <p>
        <strong class="number" data-testid="data-count">
          {n(kept?.count ?? 0)}
        </strong>{' '}
        {t.count(kept?.count ?? 0)}
        {kept !== null && kept.count > 0 && <span class="quiet"> · {formatBytes(kept.bytes)}</span>}
        <br />
        <span class="small quiet">{kept === null ? t.loading : t.stays}</span>
      </p>
      {task.samples && <SampleAdder />}
      {task.data.kind === 'image' ? (
        <>
          {task.data.drawable === true && <Drawing classes={task.data.classes} />}
          <CameraAdder key={task.id} data={task.data} />
          <PictureAdder classes={task.data.classes} />
        </>
      ) : (
        <TableAdder key={task.id} data={task.data} />
      )}
      {task.data.kind === 'table' && <ClassBars />}
      <Advice />
      <DrawnShare />
      <SetAside />
      {kept !== null && kept.count > 0 && (
        <>
          <OwnExamples key={task.id} />
          <Keeping />
        </>
      )}
      <StorageNote />
    </section>
  );
}

const sampleSize = signal(600);

function SampleAdder() {
  const t = text();
  return (
    <div class="field">
      <label for="sample-size">{t.sampleSize}</label>
      <div class="row nowrap">
        <select
          id="sample-size"
          class="input"
          data-testid="sample-size"
          aria-describedby="sample-help"
          value={sampleSize.value}
          onChange={(event) => {
            sampleSize.value = Number(event.currentTarget.value);
          }}
        >
          {[100, 600, 2000].map((count) => (
            <option key={count} value={count}>
              {t.some(count)}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="button"
          data-testid="add-sample"
          disabled={busy.value || summary.value === null || away.value}
          onClick={() => void change(() => participant().addSample(sampleSize.value))}
        >
          {busy.value ? t.adding : t.sample}
        </button>
      </div>
      <span id="sample-help" class="help">
        {away.value ? t.sampleAway : t.sampleHelp}
      </span>
    </div>
  );
}

/** Balance of a table's classes; for pictures, it is shown beside their buttons. */
function ClassBars() {
  const classes = chosenTask.value === null ? null : classesOf(chosenTask.value.data);
  const counts = summary.value?.perClass ?? [];
  const most = Math.max(1, ...counts);
  if (classes === null || (summary.value?.count ?? 0) === 0) return null;
  return (
    <ul class="balance">
      {classes.map((name, index) => (
        <li key={name}>
          <span class="balance-name">{name}</span>
          <span class="bar">
            <span style={{ width: `${((counts[index] ?? 0) / most) * 100}%` }} />
          </span>
          <span class="balance-count">{n(counts[index] ?? 0)}</span>
        </li>
      ))}
    </ul>
  );
}

function Advice() {
  const found = findings.value;
  if (found.length === 0) return null;
  return (
    <ul class="note advice small">
      {advice(found).map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

/** A device with more examples than a round counts trains on a share of them. */
function DrawnShare() {
  const t = text();
  const count = summary.value?.count ?? 0;
  const most = plan.value.maxExamples;
  if (most === undefined || count <= most) return null;
  return (
    <p class="note small" data-testid="drawn-share">
      {t.drawnShare(count, most)}
    </p>
  );
}

/** Examples of another task that had this one's id, or of classes and columns that the task no longer has. */
function SetAside() {
  const t = text();
  const count = summary.value?.setAside ?? 0;
  if (count === 0) return null;
  return (
    <div class="note stack tight" data-testid="set-aside">
      <p class="small">{t.setAside(count)}</p>
      <div class="row">
        <button
          type="button"
          class="button small"
          disabled={busy.value}
          onClick={() => askDelete(count, 'set-aside')}
        >
          {t.deleteSetAside}
        </button>
      </div>
    </div>
  );
}

/** Quality findings in words; all tiny classes share one line. */
export function advice(found: readonly QualityFinding[]): readonly string[] {
  const t = text();
  const tiny = found.flatMap((one) => (one.kind === 'tiny-class' ? [one.name] : []));
  const lines = tiny.length > 0 ? [t.tiny(tiny.join(', '))] : [];
  for (const one of found) {
    if (one.kind === 'duplicates') lines.push(t.duplicates(one.count));
    if (one.kind === 'imbalance')
      lines.push(t.imbalance({ ...one, ratio: formatNumber(one.ratio, { maximumSignificantDigits: 2 }) }));
    if (one.kind === 'constant-column') lines.push(t.constant(one.name));
    if (one.kind === 'mostly-unlisted') lines.push(t.unlisted(one));
  }
  return lines;
}

function askDelete(count: number, source?: Source | 'set-aside'): void {
  const t = text();
  ask({
    title: t.deleteTitle(count),
    text: t.deleteText,
    action: t.delete,
    danger: true,
    act: () => void change(() => participant().clearData(source)),
  });
}

function Keeping() {
  const t = text();
  const kept = summary.value;
  if (kept === null) return null;
  const sources = Object.entries(kept.bySource) as [Source, number][];
  return (
    <details class="fold">
      <summary>{t.sources}</summary>
      <div class="stack">
        <ul class="sources">
          {sources
            .filter(([, count]) => count > 0)
            .map(([source, count]) => (
              <li key={source}>
                <span>{sourceName(source)}</span>
                <span class="figure">
                  {n(count)} · {formatShare(count / kept.count, 0)}
                </span>
                <button
                  type="button"
                  class="button small"
                  aria-label={t.deleteSource(sourceName(source))}
                  onClick={() => askDelete(count, source)}
                >
                  {t.delete}
                </button>
              </li>
            ))}
        </ul>
        <div class="row">
          <button
            type="button"
            class="button small"
            data-testid="export"
            onClick={() =>
              void change(async () =>
                saveFile(
                  `coppice-${chosenTask.value?.id ?? 'examples'}.csv`,
                  'text/csv',
                  await participant().exportData(),
                ),
              )
            }
          >
            {t.export}
          </button>
          <button
            type="button"
            class="button small danger"
            data-testid="delete-all"
            disabled={busy.value}
            onClick={() => askDelete(kept.count)}
          >
            {t.deleteAll}
          </button>
        </div>
      </div>
    </details>
  );
}
