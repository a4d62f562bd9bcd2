import { Confirm } from '@coppice/ui';
import { signal } from '@preact/signals';

interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly danger: boolean;
  readonly act: () => void;
}

const question = signal<Question | null>(null);

/** Asks for confirmation of an irreversible action. */
export function ask(next: Question): void {
  question.value = next;
}

/** The page's only confirmation dialog. */
export function Confirmation() {
  const now = question.value;
  const close = () => {
    question.value = null;
  };
  return (
    <Confirm
      open={now !== null}
      title={now?.title ?? ''}
      action={now?.action ?? ''}
      danger={now?.danger ?? false}
      onConfirm={() => {
        now?.act();
        close();
      }}
      onCancel={close}
    >
      <p>{now?.text}</p>
    </Confirm>
  );
}
