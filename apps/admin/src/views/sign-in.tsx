import { CoppiceError, type Login } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { keyChanged, signIn } from '../live/live.ts';
import { accessText } from './access-texts.ts';
import { TextInput } from './fields.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    lead: 'This page launches and watches training. Sign in with your name and password.',
    orKey: 'Or with a key',
    wrong: 'That key does not open this coordinator. A link opens once; “pnpm admin-key” prints a new one.',
    misfit: 'Name and password do not fit together.',
    empty: 'Type or paste the key first.',
    changed:
      'The coordinator no longer knows this session, so you were signed out. Runs go on. Sign in again.',
  },
  {
    lead: '本页用来发起和观察训练。请用姓名和密码登录。',
    orKey: '或使用密钥',
    wrong: '该密钥无法打开此协调器。链接只能使用一次；可用“pnpm admin-key”打印新的链接。',
    misfit: '姓名与密码不符。',
    empty: '请先输入或粘贴密钥。',
    changed: '协调器不再认得此会话，因此你已被登出。训练仍在继续。请重新登录。',
  },
);

export function SignIn() {
  const t = text();
  const words = shared();
  const a = accessText();
  const [key, setKey] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [misfit, setMisfit] = useState<string | null>(null);
  const enter = async (login: Login, show: (message: string) => void) => {
    setBusy(true);
    setError(null);
    setMisfit(null);
    try {
      await signIn(login);
    } catch (thrown) {
      const { code, message } = CoppiceError.from(thrown);
      show(code === 'login-refused' ? ('key' in login ? t.wrong : t.misfit) : message);
      setBusy(false);
    }
  };
  const submit = () => (key.trim() === '' ? setError(t.empty) : void enter({ key: key.trim() }, setError));
  return (
    <div class="stack lone sign-in">
      <h1>{words.signIn}</h1>
      <p class="lead">{t.lead}</p>
      {keyChanged.value && (
        <p class="note warn" role="status" data-testid="key-changed">
          {t.changed}
        </p>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void enter({ name: name.trim(), password }, setMisfit);
        }}
      >
        <TextInput id="login-name" label={a.name} value={name} onInput={setName} autocomplete="username" />
        <TextInput
          id="login-password"
          label={a.password}
          value={password}
          onInput={setPassword}
          type="password"
          autocomplete="current-password"
        />
        {misfit !== null && (
          <p class="problem" role="alert" data-testid="login-misfit">
            {misfit}
          </p>
        )}
        <div class="row">
          <button
            type="submit"
            class="button primary"
            data-testid="sign-in"
            disabled={busy || name.trim() === '' || password === ''}
          >
            {words.signIn}
          </button>
        </div>
      </form>
      <h2>{t.orKey}</h2>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <div class="field">
          <label for="key">{words.key}</label>
          <input
            id="key"
            class="input mono"
            type="password"
            autocomplete="off"
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
          <button type="submit" class="button" data-testid="login" disabled={busy}>
            {words.signIn}
          </button>
        </div>
      </form>
    </div>
  );
}
