import { catalogue, formatNumber } from '@coppice/ui';
import { useRef, useState } from 'preact/hooks';
import { participant } from '../link/participant.ts';
import { busy, change, summary } from './data.ts';
import {
  droppedFiles,
  type FoundFile,
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
    unreadable: (count: number) => `${n(count)} could not be read as pictures:`,
    empty: 'it is empty',
    svg: 'SVG is a drawing without pixels: save it as PNG',
    heic: 'HEIC is not read by this browser: save it as JPEG',
    damaged: 'damaged, or in a format that this browser does not know',
    named: (name: string, why: string) => `${name}: ${why}`,
    others: (count: number) => `and ${n(count)} more`,
    progress: (done: number, all: number) => `Reading: ${n(done)} of ${n(all)}…`,
    cancel: 'Stop reading',
    cancelled: (left: number) => `Stopped: ${n(left)} were not read.`,
    unplaced: (count: number, folders: string) =>
      `${n(count)} skipped, because their folders are not named after a class: ${folders}.`,
    folderOf: (name: string, count: number, first: string) => `“${name}” (${n(count)}, such as ${first})`,
    noFolder: (count: number, first: string) => `in no folder (${n(count)}, such as ${first})`,
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
    unreadable: (count) => `有 ${n(count)} 个无法作为图片读取：`,
    empty: '文件为空',
    svg: 'SVG 是没有像素的矢量图：请另存为 PNG',
    heic: '本浏览器不能读取 HEIC：请另存为 JPEG',
    damaged: '已损坏，或为本浏览器不支持的格式',
    named: (name, why) => `${name}：${why}`,
    others: (count) => `另有 ${n(count)} 个`,
    progress: (done, all) => `正在读取：第 ${n(done)} 个，共 ${n(all)} 个……`,
    cancel: '停止读取',
    cancelled: (left) => `已停止：还有 ${n(left)} 个没有读取。`,
    unplaced: (count, folders) => `已跳过 ${n(count)} 个，因为所在文件夹的名称不是类别：${folders}。`,
    folderOf: (name, count, first) => `“${name}”（${n(count)} 个，例如 ${first}）`,
    noFolder: (count, first) => `不在文件夹中（${n(count)} 个，例如 ${first}）`,
    more: (count) => `其他文件夹（${n(count)} 个）`,
    join: '、',
    none: '其中没有图片。',
    balance: '各类样本数',
  },
);

/** Files that are sent to the worker at once: between them, progress is shown and reading can be stopped. */
const AT_ONCE = 16;

/** The most folders or files listed one by one; more would bury the page. */
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
  const [unread, setUnread] = useState<readonly File[]>([]);
  const [progress, setProgress] = useState<{ readonly done: number; readonly all: number } | null>(null);
  const cancelled = useRef(false);
  const choose = (index: number) => {
    chosenLabel.current = index;
    setLabel(index);
  };

  const add = async ({ byClass, unplaced }: SortedPictures) => {
    const all = [...byClass.values()].reduce((sum, { length }) => sum + length, 0);
    const notRead: File[] = [];
    let done = 0;
    cancelled.current = false;
    setTold('');
    setUnread([]);
    await change(async () => {
      for (const [index, pictures] of byClass) {
        for (let from = 0; from < pictures.length && !cancelled.current; from += AT_ONCE) {
          setProgress({ done, all });
          const part = pictures.slice(from, from + AT_ONCE);
          const { unreadable } = await participant().addPictures(part, index, 'images');
          notRead.push(...unreadable.map((place) => part[place] as File));
          done += part.length;
        }
      }
    });
    setProgress(null);
    const parts = [t.added(done - notRead.length)];
    if (done < all && cancelled.current) parts.push(t.cancelled(all - done));
    if (unplaced.length > 0) parts.push(t.unplaced(total(unplaced), foldersOf(unplaced)));
    if (notRead.length > 0) parts.push(t.unreadable(notRead.length));
    setUnread(notRead);
    setTold(all === 0 && unplaced.length === 0 ? t.none : parts.join(' '));
  };
  const addToClass = (index: number, pictures: readonly File[]) =>
    add({ byClass: new Map([[index, pictures]]), unplaced: [] });
  const addFolder = (found: readonly FoundFile[]) => add(sortByClass(found, classes));
  const dropped = async (transfer: DataTransfer) => {
    const found = await droppedFiles(transfer);
    if (found.some(({ path }) => path.includes('/'))) return addFolder(found);
    // What is dropped by itself is tried, whatever it is: a file that is no picture is named.
    return addToClass(
      label,
      found.map(({ file }) => file),
    );
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
          const picked = [...(event.currentTarget.files ?? [])];
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
      {progress !== null && progress.all > AT_ONCE && (
        <div class="row" data-testid="pictures-progress">
          <span class="small" role="status">
            {t.progress(progress.done, progress.all)}
          </span>
          <button
            type="button"
            class="button small"
            onClick={() => {
              cancelled.current = true;
            }}
          >
            {t.cancel}
          </button>
        </div>
      )}
      <p class="small" role="status">
        {told}
      </p>
      {unread.length > 0 && (
        <ul class="small" data-testid="unreadable">
          {unread.slice(0, NAMED).map((file) => (
            <li key={file.name}>{t.named(file.name, whyUnreadable(file))}</li>
          ))}
          {unread.length > NAMED && <li>{t.others(unread.length - NAMED)}</li>}
        </ul>
      )}
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

/** The reason that a file which no picture could be made of gives by its name and size; browsers tell none. */
function whyUnreadable({ name, size, type }: File): string {
  const t = text();
  if (size === 0) return t.empty;
  if (type === 'image/svg+xml') return t.svg;
  return /\.hei[cf]$/i.test(name) ? t.heic : t.damaged;
}

function total(groups: readonly UnplacedPictures[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

function foldersOf(unplaced: readonly UnplacedPictures[]): string {
  const t = text();
  const named = unplaced
    .slice(0, NAMED)
    .map(({ folder, count, first }) =>
      folder === null ? t.noFolder(count, first) : t.folderOf(folder, count, first),
    );
  const others = total(unplaced.slice(NAMED));
  return [...named, ...(others > 0 ? [t.more(others)] : [])].join(t.join);
}
