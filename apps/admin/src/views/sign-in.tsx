import { useState } from 'preact/hooks';
import { signIn } from '../live/live.ts';
import { act } from './act.ts';
import { text } from './texts.ts';

export function SignIn() {
  const t = text();
  const [key, setKey] = useState('');
  return (
    <form
      class="stack lone"
      onSubmit={(event) => {
        event.preventDefault();
        void act(() => signIn(key.trim()));
      }}
    >
      <h1>{t.signIn}</h1>
      <div class="field">
        <label for="key">{t.key}</label>
        <input
          id="key"
          class="input mono"
          type="password"
          autocomplete="current-password"
          required
          data-testid="login-key"
          aria-describedby="key-help"
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p class="help" id="key-help">
          {t.keyHelp}
        </p>
      </div>
      <div class="row">
        <button type="submit" class="button primary" data-testid="login">
          {t.signIn}
        </button>
      </div>
    </form>
  );
}
