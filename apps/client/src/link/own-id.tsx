import { catalogue } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { session } from './session.ts';

const text = catalogue(
  {
    label: 'The id of this browser',
    copy: 'Copy',
    copied: 'Copied',
    refused: 'Select it to copy it.',
  },
  {
    label: '本浏览器的标识',
    copy: '复制',
    copied: '已复制',
    refused: '请选取后复制。',
  },
);

/** This browser's id at the coordinator, to give to the operator. Known after the first welcome. */
export function OwnId() {
  const t = text();
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  const id = session.participant.value;
  if (id === null) return null;
  const copy = () => {
    if (navigator.clipboard === undefined) return setCopied('refused');
    navigator.clipboard.writeText(id).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  return (
    <p class="own-id row">
      <span>{t.label}</span>
      <code data-testid="own-id">{id}</code>
      <button type="button" class="button small" data-testid="copy-id" onClick={copy}>
        {copied === 'yes' ? t.copied : t.copy}
      </button>
      <span class="small quiet" role="status">
        {copied === 'refused' ? t.refused : ''}
      </span>
    </p>
  );
}
