import { useState } from 'preact/hooks';
import { join } from '../live/live.ts';
import { go } from '../shell/route.ts';
import { accessText } from './access-texts.ts';
import { act } from './act.ts';
import { TextInput } from './fields.tsx';

/** View that accepts an invitation. */
export function JoinView({ code }: { code: string }) {
  const t = accessText();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    const joined = await act(() => join({ code, name: name.trim(), password }).then(() => true));
    setBusy(false);
    if (joined === true) go({ view: 'runs' });
  };
  return (
    <form
      class="stack lone sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{t.join}</h1>
      <p class="lead">{t.joinText}</p>
      <TextInput id="join-name" label={t.name} value={name} onInput={setName} autocomplete="username" />
      <TextInput
        id="join-password"
        label={t.password}
        value={password}
        onInput={setPassword}
        type="password"
        autocomplete="new-password"
        help={t.passwordHelp}
      />
      <div class="row">
        <button
          type="submit"
          class="button primary"
          data-testid="join"
          disabled={busy || name.trim() === '' || password === ''}
        >
          {t.join}
        </button>
      </div>
    </form>
  );
}
