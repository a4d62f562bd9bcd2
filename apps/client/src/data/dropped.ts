import { classFinder } from '@coppice/protocol';

/** A file with the path of its folders. */
export interface FoundFile {
  readonly file: File;
  /** `folder/3/seven.png`. */
  readonly path: string;
}

/** Pictures in folders of one name that names no class. */
export interface UnplacedPictures {
  /** Name of the innermost folder; `null` for pictures in no folder. */
  readonly folder: string | null;
  readonly count: number;
  /** The path of the first of them. */
  readonly first: string;
}

/** Pictures by index of their class, and the others counted by folder, the largest count first. */
export interface SortedPictures {
  readonly byClass: ReadonlyMap<number, readonly File[]>;
  readonly unplaced: readonly UnplacedPictures[];
}

/**
 * Sorts pictures by the classes that their folders name, compared as in `classFinder`: the innermost folder that names
 * a class decides. Other files are ignored.
 */
export function sortByClass(found: readonly FoundFile[], classes: readonly string[]): SortedPictures {
  const find = classFinder(classes);
  const byClass = new Map<number, File[]>();
  const unplaced = new Map<string | null, { count: number; readonly first: string }>();
  for (const { file, path } of found) {
    if (!isPicture(file)) continue;
    const folders = path.split('/').slice(0, -1).reverse();
    const label = folders.map(find).find((index) => index !== null);
    if (label === undefined) {
      const folder = folders[0] ?? null;
      const there = unplaced.get(folder);
      if (there === undefined) unplaced.set(folder, { count: 1, first: path });
      else there.count++;
      continue;
    }
    const pictures = byClass.get(label);
    if (pictures === undefined) byClass.set(label, [file]);
    else pictures.push(file);
  }
  return {
    byClass,
    unplaced: [...unplaced].map(([folder, of]) => ({ folder, ...of })).sort((a, b) => b.count - a.count),
  };
}

/** Checks that a file may be a picture: by its type, by its name, or because neither says what it is. */
export function isPicture({ type, name }: { readonly type: string; readonly name: string }): boolean {
  if (type.startsWith('image/') || /\.(png|jpe?g|gif|webp|bmp|avif|heic|tiff?)$/i.test(name)) return true;
  return type === '' && /^[^.]+$/.test(name);
}

/** All dropped files, folders included. Call synchronously: the event forgets its files afterwards. */
export function droppedFiles(transfer: DataTransfer): Promise<FoundFile[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  return Promise.all(entries.map((entry) => filesOf(entry, ''))).then((found) => found.flat());
}

async function filesOf(entry: FileSystemEntry, folder: string): Promise<FoundFile[]> {
  const path = `${folder}${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ file, path }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FoundFile[] = [];
  // A reader hands out a hundred entries at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found;
    for (const inner of some) found.push(...(await filesOf(inner, `${path}/`)));
  }
}
