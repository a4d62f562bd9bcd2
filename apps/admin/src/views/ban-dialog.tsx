import type { CreateBan } from '@coppice/protocol';
import { Confirm } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { shortId } from '../words.ts';
import { admissionText } from './admission-texts.ts';
import { TextInput } from './fields.tsx';

/** Asks for the scope and the reason of a ban. `participant`: null while the dialog is closed. */
export function BanDialog({
  run,
  participant,
  onBan,
  onClose,
}: {
  /** The run that the ban can be limited to; null: it is always from the whole coordinator. */
  run: string | null;
  participant: string | null;
  onBan: (ban: CreateBan) => void;
  onClose: () => void;
}) {
  const t = admissionText();
  const [reason, setReason] = useState('');
  const [everywhere, setEverywhere] = useState(false);
  const close = () => {
    setReason('');
    setEverywhere(false);
    onClose();
  };
  return (
    <Confirm
      open={participant !== null}
      title={t.banTitle(shortId(participant ?? ''))}
      action={t.ban}
      danger
      onConfirm={() => {
        if (participant !== null) onBan({ participant, run: everywhere ? null : run, reason: reason.trim() });
        close();
      }}
      onCancel={close}
    >
      <p>{t.banText}</p>
      <TextInput id="ban-reason" label={t.reason} value={reason} onInput={setReason} />
      {run === null ? (
        <p>{t.everywhere}</p>
      ) : (
        <label class="choice">
          <input
            type="checkbox"
            data-testid="ban-everywhere"
            checked={everywhere}
            onChange={(event) => setEverywhere(event.currentTarget.checked)}
          />
          <span>{t.everywhere}</span>
        </label>
      )}
    </Confirm>
  );
}
