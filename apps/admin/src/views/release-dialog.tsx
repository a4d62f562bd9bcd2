import { Confirm } from '@coppice/ui';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { TextInput } from './fields.tsx';
import { releaseText } from './release-texts.ts';

/** Asks for the reason of a release, which is required. */
export function ReleaseDialog({
  open,
  title,
  action,
  children,
  onRelease,
  onClose,
}: {
  open: boolean;
  title: string;
  action: string;
  children: ComponentChildren;
  onRelease: (reason: string) => void;
  onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const close = () => {
    setReason('');
    onClose();
  };
  return (
    <Confirm
      open={open}
      title={title}
      action={action}
      disabled={reason.trim() === ''}
      onConfirm={() => {
        onRelease(reason.trim());
        close();
      }}
      onCancel={close}
    >
      {children}
      <TextInput id="release-reason" label={releaseText().reason} value={reason} onInput={setReason} />
    </Confirm>
  );
}
