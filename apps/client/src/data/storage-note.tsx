import { catalogue, formatBytes } from '@coppice/ui';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { summary } from './data.ts';

const text = catalogue(
  {
    title: 'Storage on this device',
    room: (used: string, quota: string) =>
      `This site uses ${used} of the ${quota} that this browser allows it.`,
    unknown: 'This browser does not tell how much this site stores, or how much it allows.',
    kept: 'This browser keeps your examples until you delete them, also when space runs low.',
    notKept:
      'This browser may delete your examples when space runs low, and some browsers do so after weeks without a visit.',
    keep: 'Keep on this device',
    refused:
      'This browser did not agree to keep them. Install this page or add it to your bookmarks, then try again; or save a copy.',
    copy: 'Save a copy if the examples matter.',
    both: (first: string, second: string) => `${first} ${second}`,
  },
  {
    title: '本设备上的存储',
    room: (used, quota) => `本网站已使用 ${used}，本浏览器允许使用 ${quota}。`,
    unknown: '本浏览器不提供本网站的存储用量与限额。',
    kept: '本浏览器会保留你的样本，直到你删除，空间不足时也不会清除。',
    notKept: '空间不足时，本浏览器可能删除你的样本；有些浏览器在数周未访问后也会删除。',
    keep: '保留在本设备上',
    refused: '本浏览器未同意保留。请安装本页或将其加入书签，然后再试；也可以保存副本。',
    copy: '若样本重要，请保存副本。',
    both: (first, second) => `${first}${second}`,
  },
);

interface Room {
  /** Bytes; null where the browser tells none. */
  readonly used: number | null;
  readonly quota: number | null;
  /** Whether the browser deletes stored data of this site only when the person says so; null where it does not tell. */
  readonly kept: boolean | null;
}

const room = signal<Room | null>(null);
/** True after the browser refused to keep the data. */
const refused = signal(false);

async function look(): Promise<void> {
  // Pages without HTTPS have no such interface; some browsers refuse it in private windows.
  const [estimate, kept] = await Promise.all([
    navigator.storage?.estimate?.().catch(() => undefined),
    navigator.storage?.persisted?.().catch(() => undefined),
  ]);
  room.value = { used: estimate?.usage ?? null, quota: estimate?.quota ?? null, kept: kept ?? null };
}

async function keep(): Promise<void> {
  const kept = (await navigator.storage.persist().catch(() => false)) === true;
  refused.value = !kept;
  await look();
}

/** States how much this site stores of how much it may, and whether the browser may delete it. */
export function StorageNote() {
  const t = text();
  const bytes = summary.value?.bytes ?? 0;
  useEffect(() => void look(), [bytes]);
  const now = room.value;
  if (now === null) return null;
  const { used, quota, kept } = now;
  return (
    <div class="stack tight" data-testid="storage">
      <h3 class="eyebrow">{t.title}</h3>
      <p class="small">
        {used === null || quota === null ? t.unknown : t.room(formatBytes(used), formatBytes(quota))}
      </p>
      <p class="small" role="status" data-testid="storage-kept" data-kept={String(kept)}>
        {kept === true ? t.kept : t.both(t.notKept, refused.value ? t.refused : t.copy)}
      </p>
      {kept === false && (
        <div class="row">
          <button type="button" class="button small" data-testid="keep" onClick={() => void keep()}>
            {t.keep}
          </button>
        </div>
      )}
    </div>
  );
}
