import '@coppice/ui/tokens.css';
import '@coppice/ui/base.css';
import './page.css';
import { startLanguage, startTheme } from '@coppice/ui';
import { render } from 'preact';
import { begin, signIn } from './live/live.ts';
import { startRoute } from './shell/route.ts';
import { act } from './views/act.ts';
import { App } from './views/app.tsx';

startLanguage();
startTheme();
startRoute();

/** Signs in by the printed link. The key is removed from the address at once, so that it is in no history or screenshot. */
async function enter(): Promise<void> {
  const address = new URL(location.href);
  const key = address.searchParams.get('key');
  if (key !== null) {
    address.searchParams.delete('key');
    history.replaceState(history.state, '', address);
    if ((await act(() => signIn({ key }).then(() => true))) === true) return;
  }
  await begin();
}

void enter();
render(<App />, document.getElementById('page') as HTMLElement);
