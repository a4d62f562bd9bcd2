import { catalogue } from '@coppice/ui';
import { takeUpdate, update } from './update.ts';

const text = catalogue(
  {
    ready: 'A new version of this page is ready. It is taken into use when you say so.',
    reload: 'Update now',
    afterRound: 'The page updates itself as soon as what this device is training has been sent.',
  },
  {
    ready: '本页有新版本可用，由你决定何时启用。',
    reload: '立即更新',
    afterRound: '等本设备正在训练的内容发送完毕，页面就会自动更新。',
  },
);

export function UpdateNotice() {
  const t = text();
  if (update.value === 'none') return null;
  return (
    <div class="note row" role="status" data-testid="update">
      {update.value === 'after-round' ? (
        <p>{t.afterRound}</p>
      ) : (
        <>
          <p>{t.ready}</p>
          <button type="button" class="button small" data-testid="update-now" onClick={takeUpdate}>
            {t.reload}
          </button>
        </>
      )}
    </div>
  );
}
