import { CoppiceError } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { keyChanged, signIn } from '../live/live.ts';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    lead: 'This page launches and watches training. It opens with the admin key.',
    wrong:
      'That is not the admin key of this coordinator. If the coordinator was restarted, take the key from its newest output.',
    empty: 'Type or paste the key first.',
    changed:
      'The coordinator was restarted and no longer knows this page, so you were signed out. Runs go on. Sign in with the key from its newest output.',
  },
  {
    lead: '本页用来发起和观察训练，凭管理密钥打开。',
    wrong: '这不是该协调器的管理密钥。如果协调器重启过，请从最新的输出中获取。',
    empty: '请先输入或粘贴密钥。',
    changed: '协调器已重启，不再认得本页，因此你已被登出。训练仍在继续。请用最新输出中的密钥登录。',
  },
);

export function SignIn() {
  const t = text();
  const words = shared();
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async () => {
    if (key.trim() === '') return setError(t.empty);
    setBusy(true);
    try {
      await signIn(key.trim());
    } catch (thrown) {
      const { code, message } = CoppiceError.from(thrown);
      setError(code === 'login-refused' ? t.wrong : message);
      setBusy(false);
    }
  };
  return (
    <form
      class="stack lone sign-in"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{words.signIn}</h1>
      <p class="lead">{t.lead}</p>
      {keyChanged.value && (
        <p class="note warn" role="status" data-testid="key-changed">
          {t.changed}
        </p>
      )}
      <div class="field">
        <label for="key">{words.key}</label>
        <input
          id="key"
          class="input mono"
          type="password"
          autocomplete="current-password"
          data-testid="login-key"
          aria-describedby="key-help"
          aria-invalid={error !== null}
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p class="help" id="key-help">
          {words.keyHelp}
        </p>
        {error !== null && (
          <p class="problem" role="alert" data-testid="login-error">
            {error}
          </p>
        )}
      </div>
      <div class="row">
        <button type="submit" class="button primary" data-testid="login" disabled={busy}>
          {words.signIn}
        </button>
      </div>
    </form>
  );
}
