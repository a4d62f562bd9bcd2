/** A file and the folders that it lay in. */
export interface FoundFile {
  readonly file: File;
  /** `folder/3/seven.png`. */
  readonly path: string;
}

/**
 * The class that a picture's folder names: the innermost folder with a class's name, case aside;
 * null where there is none.
 */
export function classOfPath(path: string, classes: readonly string[]): number | null {
  const folders = path.split('/').slice(0, -1).reverse();
  for (const folder of folders) {
    const at = classes.findIndex((name) => name.toLowerCase() === folder.trim().toLowerCase());
    if (at >= 0) return at;
  }
  return null;
}

/** Pictures by class, and how many lay in no class's folder. */
export function sortByClass(
  found: readonly FoundFile[],
  classes: readonly string[],
): { byClass: ReadonlyMap<number, readonly File[]>; unplaced: number } {
  const byClass = new Map<number, File[]>();
  let unplaced = 0;
  for (const { file, path } of found) {
    if (!isPicture(file)) continue;
    const label = classOfPath(path, classes);
    if (label === null) unplaced++;
    else byClass.set(label, [...(byClass.get(label) ?? []), file]);
  }
  return { byClass, unplaced };
}

export function isPicture(file: { readonly type: string; readonly name: string }): boolean {
  return file.type.startsWith('image/') || /\.(png|jpe?g|gif|webp|bmp|avif)$/i.test(file.name);
}

/** Everything that was dropped, folders opened. Call at once: the event forgets its files afterwards. */
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
