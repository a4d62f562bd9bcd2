import { catalogue, formatNumber } from '@coppice/ui';
import { useRef, useState } from 'preact/hooks';
import { participant } from '../link/participant.ts';
import { busy, change, summary } from './data.ts';
import {
  droppedFiles,
  type FoundFile,
  isPicture,
  type SortedPictures,
  sortByClass,
  type UnplacedPictures,
} from './dropped.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'Add pictures',
    of: 'Pictures of',
    add: 'Add pictures…',
    addOf: (name: string) => `Add pictures of “${name}”…`,
    folder: 'Add a folder…',
    drop: 'Or drop pictures here: single files become the class chosen above; in a folder, the names of its sub-folders say the class.',
    added: (count: number) => `${n(count)} added.`,
    unreadable: (count: number) => `${n(count)} could not be read as pictures.`,
    unplaced: (count: number, folders: string) =>
      `${n(count)} skipped, because their folders are not named after a class: ${folders}.`,
    folderOf: (name: string, count: number) => `“${name}” (${n(count)})`,
    noFolder: (count: number) => `in no folder (${n(count)})`,
    more: (count: number) => `in other folders (${n(count)})`,
    join: ', ',
    none: 'There are no pictures in it.',
    balance: 'Examples of each class',
  },
  {
    title: '添加图片',
    of: '图片的类别',
    add: '添加图片…',
    addOf: (name) => `添加“${name}”的图片…`,
    folder: '添加文件夹…',
    drop: '也可把图片拖到这里：单个文件归入上面选定的类别；文件夹则以子文件夹的名字为类别。',
    added: (count) => `已添加 ${n(count)} 个。`,
    unreadable: (count) => `有 ${n(count)} 个无法作为图片读取。`,
    unplaced: (count, folders) => `已跳过 ${n(count)} 个，因为所在文件夹的名称不是类别：${folders}。`,
    folderOf: (name, count) => `“${name}”（${n(count)} 个）`,
    noFolder: (count) => `不在文件夹中（${n(count)} 个）`,
    more: (count) => `其他文件夹（${n(count)} 个）`,
    join: '、',
    none: '其中没有图片。',
    balance: '各类样本数',
  },
);

/** The most folders listed one by one; more would bury the page. */
const NAMED = 10;

/** Adds pictures by button, by folder or by drop, with the count of each class. */
export function PictureAdder({ classes }: { classes: readonly string[] }) {
  const t = text();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [label, setLabel] = useState(0);
  // Read when the file dialog returns, which may be before the choice above was drawn.
  const chosenLabel = useRef(0);
  const [over, setOver] = useState(false);
  const [told, setTold] = useState('');
  const choose = (index: number) => {
    chosenLabel.current = index;
    setLabel(index);
  };

  const add = async ({ byClass, unplaced }: SortedPictures) => {
    let added = 0;
    let unreadable = 0;
    await change(async () => {
      for (const [index, pictures] of byClass) {
        const result = await participant().addPictures(pictures, index, 'images');
        unreadable += result.unreadable;
        added += pictures.length - result.unreadable;
      }
    });
    const parts = [t.added(added)];
    if (unreadable > 0) parts.push(t.unreadable(unreadable));
    if (unplaced.length > 0) parts.push(t.unplaced(total(unplaced), foldersOf(unplaced)));
    setTold(byClass.size === 0 && unplaced.length === 0 ? t.none : parts.join(' '));
  };
  const addToClass = (index: number, pictures: readonly File[]) =>
    add({ byClass: new Map([[index, pictures]]), unplaced: [] });
  const addFolder = (found: readonly FoundFile[]) => add(sortByClass(found, classes));
  const dropped = async (transfer: DataTransfer) => {
    const found = await droppedFiles(transfer);
    if (found.some(({ path }) => path.includes('/'))) return addFolder(found);
    return addToClass(label, found.map(({ file }) => file).filter(isPicture));
  };

  const counts = summary.value?.perClass ?? [];
  const most = Math.max(1, ...counts);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way of three; the buttons inside are the others
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
        if (event.dataTransfer !== null) void dropped(event.dataTransfer);
      }}
    >
      <h3 class="eyebrow">{t.title}</h3>
      <div class="row">
        <select
          class="input narrow"
          aria-label={t.of}
          data-testid="file-label"
          value={label}
          onChange={(event) => choose(Number(event.currentTarget.value))}
        >
          {classes.map((name, index) => (
            <option key={name} value={index}>
              {name}
            </option>
          ))}
        </select>
        <button type="button" class="button" disabled={busy.value} onClick={() => files.current?.click()}>
          {t.add}
        </button>
        <button type="button" class="button" disabled={busy.value} onClick={() => folder.current?.click()}>
          {t.folder}
        </button>
      </div>
      <input
        ref={files}
        type="file"
        hidden
        multiple
        accept="image/*"
        data-testid="file-input"
        aria-label={t.add}
        onChange={(event) => {
          const picked = [...(event.currentTarget.files ?? [])].filter(isPicture);
          event.currentTarget.value = '';
          if (picked.length > 0) void addToClass(chosenLabel.current, picked);
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        multiple
        data-testid="folder-input"
        aria-label={t.folder}
        {...{ webkitdirectory: true }}
        onChange={(event) => {
          const found = [...(event.currentTarget.files ?? [])].map((file) => ({
            file,
            path: file.webkitRelativePath,
          }));
          event.currentTarget.value = '';
          if (found.length > 0) void addFolder(found);
        }}
      />
      <p class="small quiet">{t.drop}</p>
      <p class="small" role="status">
        {told}
      </p>
      <ul class="balance" aria-label={t.balance}>
        {classes.map((name, index) => (
          <li key={name}>
            <span class="balance-name">{name}</span>
            <span class="bar">
              <span style={{ width: `${((counts[index] ?? 0) / most) * 100}%` }} />
            </span>
            <span class="balance-count">{n(counts[index] ?? 0)}</span>
            <button
              type="button"
              class="button small plus"
              aria-label={t.addOf(name)}
              title={t.addOf(name)}
              disabled={busy.value}
              onClick={() => {
                choose(index);
                files.current?.click();
              }}
            >
              +
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function total(groups: readonly UnplacedPictures[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

function foldersOf(unplaced: readonly UnplacedPictures[]): string {
  const t = text();
  const named = unplaced
    .slice(0, NAMED)
    .map(({ folder, count }) => (folder === null ? t.noFolder(count) : t.folderOf(folder, count)));
  const others = total(unplaced.slice(NAMED));
  return [...named, ...(others > 0 ? [t.more(others)] : [])].join(t.join);
}
