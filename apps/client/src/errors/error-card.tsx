import type { ErrorCode, WireError } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { OwnId } from '../link/own-id.tsx';
import { reload } from '../offline/update.ts';
import { diagnostics } from './diagnostics.ts';
import { errorText, passesByItself } from './error-texts.ts';

const text = catalogue(
  {
    details: 'Details',
    copy: 'Copy diagnostics',
    copied: 'Copied',
    noClipboard: 'Copying is not allowed here. Select the text below instead.',
    noPersonal: 'The diagnostics hold no examples and no id.',
    reload: 'Reload the page',
    away: 'Put away',
  },
  {
    details: '详情',
    copy: '复制诊断信息',
    copied: '已复制',
    noClipboard: '此处不允许复制，请选取下面的文字。',
    noPersonal: '诊断信息不含样本，也不含标识。',
    reload: '重新加载页面',
    away: '收起',
  },
);

/** Errors that the operator can resolve for this one browser, by its id. */
const calledByName: ReadonlySet<ErrorCode> = new Set([
  'run-not-admitted',
  'invitation-invalid',
  'participant-banned',
]);

/** An error card: the event, its meaning, the remedy, the code, and diagnostics. */
export function ErrorCard({ error, onDismiss }: { error: WireError; onDismiss?: () => void }) {
  const t = text();
  const { happened, means, action } = errorText(error.code);
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  const copy = () => {
    if (navigator.clipboard === undefined) return setCopied('refused');
    navigator.clipboard.writeText(diagnostics(error)).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  const reloads =
    error.code === 'protocol-too-old' || error.code === 'session-replaced' || error.code === 'internal';
  return (
    <div
      class={`note ${passesByItself(error.code) ? 'warn' : 'bad'} error-card stack`}
      role="alert"
      data-testid="error"
      data-code={error.code}
    >
      <p>
        <strong>{happened}</strong> {means}
      </p>
      <p>{action}</p>
      {calledByName.has(error.code) && <OwnId />}
      <div class="row">
        {reloads && (
          <button type="button" class="button primary" onClick={() => void reload()}>
            {t.reload}
          </button>
        )}
        <button type="button" class="button small" onClick={copy}>
          {copied === 'yes' ? t.copied : t.copy}
        </button>
        {onDismiss !== undefined && (
          <button type="button" class="button small" onClick={onDismiss}>
            {t.away}
          </button>
        )}
        <code>{error.code}</code>
      </div>
      <details>
        <summary>{t.details}</summary>
        <p lang="en">{error.message}</p>
        <p class="small quiet">{t.noPersonal}</p>
        {copied === 'refused' && (
          <>
            <p class="small">{t.noClipboard}</p>
            <pre class="scroll">{diagnostics(error)}</pre>
          </>
        )}
      </details>
    </div>
  );
}
