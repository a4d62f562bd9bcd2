import { CoppiceError } from '@coppice/protocol';
import { Masthead } from '@coppice/ui';
import { access, connection, mismatch, signOut } from '../live/live.ts';
import { route, writeRoute } from '../shell/route.ts';
import { act } from './act.ts';
import { CompareView } from './compare-view.tsx';
import { LaunchView } from './launch-view.tsx';
import { Problem } from './parts.tsx';
import { RunView } from './run-view.tsx';
import { RunsView } from './runs-view.tsx';
import { SignIn } from './sign-in.tsx';
import { TaskView } from './task-view.tsx';
import { text } from './texts.ts';

export function App() {
  const t = text();
  const inside = access.value === 'in';
  return (
    <>
      {/* The hash is the route, so this is no link: it moves the focus itself. */}
      <button type="button" class="button skip-link" onClick={() => document.getElementById('main')?.focus()}>
        {t.skip}
      </button>
      <Masthead href={writeRoute({ view: 'runs' })} claim={t.claim}>
        {inside && <Connection />}
      </Masthead>
      {inside && <Navigation />}
      <main id="main" tabIndex={-1} class="stack">
        {inside && connection.value === 'lost' && (
          <p class="note warn" role="status">
            {t.lostBanner}
          </p>
        )}
        {mismatch.value instanceof CoppiceError && <p class="note warn">{t.mismatch}</p>}
        <Problem />
        {access.value === 'out' ? <SignIn /> : inside ? <View /> : <p class="quiet">{t.loading}</p>}
      </main>
      <footer class="foot small quiet">{t.foot}</footer>
    </>
  );
}

function View() {
  const now = route.value;
  switch (now.view) {
    case 'runs':
      return <RunsView />;
    case 'run':
      return <RunView key={now.run} id={now.run} />;
    case 'launch':
      return <LaunchView task={now.task} from={now.from} />;
    case 'new-task':
      return <TaskView />;
    case 'compare':
      return <CompareView chosen={now.runs} />;
  }
}

function Navigation() {
  const t = text();
  const { view } = route.value;
  const link = (to: string, label: string, current: boolean, testId?: string) => (
    <a class="tab" href={to} data-testid={testId} aria-current={current ? 'page' : undefined}>
      {label}
    </a>
  );
  return (
    <nav class="tabs" aria-label="Coppice">
      {link(writeRoute({ view: 'runs' }), t.runs, view === 'runs' || view === 'run')}
      {link(writeRoute({ view: 'launch', task: null, from: null }), t.launch, view === 'launch', 'launch')}
      {link(writeRoute({ view: 'new-task' }), t.newTask, view === 'new-task', 'new-task')}
      {link(writeRoute({ view: 'compare', runs: [] }), t.compare, view === 'compare')}
      <button type="button" class="tab" onClick={() => void act(signOut)}>
        {t.signOut}
      </button>
    </nav>
  );
}

function Connection() {
  const t = text();
  const now = connection.value;
  return (
    <span class={`badge ${now === 'live' ? 'good' : now === 'lost' ? 'warn' : ''}`} role="status">
      <span class="badge-dot" aria-hidden="true" />
      {now === 'live' ? t.live : now === 'lost' ? t.lost : t.connecting}
    </span>
  );
}
