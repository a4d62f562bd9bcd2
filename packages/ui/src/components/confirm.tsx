import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { catalogue } from '../i18n.ts';

const text = catalogue({ cancel: 'Cancel' }, { cancel: '取消' });

interface ConfirmProps {
  readonly open: boolean;
  readonly title: string;
  readonly children?: ComponentChildren;
  /** Label of the button that confirms. */
  readonly action: string;
  readonly danger?: boolean;
  /** True while the action cannot be confirmed, such as before a required field is filled in. */
  readonly disabled?: boolean;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}

/** Asks for confirmation of an irreversible action. A native dialog: focus stays inside, Escape cancels. */
export function Confirm({
  open,
  title,
  children,
  action,
  danger = false,
  disabled = false,
  onConfirm,
  onCancel,
}: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="card confirm" aria-label={title} onCancel={onCancel} onClose={onCancel}>
      {/* Nothing in it while it is closed: pages hold several. */}
      {open && (
        <div class="stack">
          <h2>{title}</h2>
          {children}
          <div class="row">
            <button
              type="button"
              class={`button ${danger ? 'danger' : 'primary'}`}
              data-testid="confirm"
              disabled={disabled}
              onClick={onConfirm}
            >
              {action}
            </button>
            <button type="button" class="button" onClick={onCancel}>
              {text().cancel}
            </button>
          </div>
        </div>
      )}
    </dialog>
  );
}
