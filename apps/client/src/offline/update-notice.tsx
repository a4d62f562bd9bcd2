import { registerSW } from 'virtual:pwa-register';
import { catalogue } from '@coppice/ui';
import { signal } from '@preact/signals';

/** Takes the new version into use; null while this one is the newest. */
const update = signal<(() => Promise<void>) | null>(null);

/** Keeps the page's own files in this browser, so that it opens without the coordinator. */
export function keepForOffline(): void {
  const take = registerSW({
    onNeedRefresh() {
      update.value = () => take(true);
    },
  });
}

const text = catalogue(
  {
    ready:
      'A new version of this page is ready. It is taken into use when you say so; a round under way would begin again.',
    reload: 'Update now',
  },
  {
    ready: '本页有新版本可用。由你决定何时启用；进行中的一轮会重新开始。',
    reload: '立即更新',
  },
);

export function UpdateNotice() {
  const take = update.value;
  if (take === null) return null;
  return (
    <div class="note row" role="status" data-testid="update">
      <p>{text().ready}</p>
      <button type="button" class="button small" onClick={() => void take()}>
        {text().reload}
      </button>
    </div>
  );
}
