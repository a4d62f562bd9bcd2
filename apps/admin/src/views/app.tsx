import { CoppiceError } from '@coppice/protocol';
import { Masthead } from '@coppice/ui';
import { access, account, connection, may, mismatch, signOut } from '../live/live.ts';
import { route, writeRoute } from '../shell/route.ts';
import { accessText } from './access-texts.ts';
import { AccessView } from './access-view.tsx';
import { act } from './act.ts';
import { CompareView } from './compare-view.tsx';
import { JoinView } from './join-view.tsx';
import { LaunchView } from './launch-view.tsx';
import { monitoringText } from './monitoring-texts.ts';
import { MonitoringView, TasksView } from './monitoring-view.tsx';
import { Problem } from './parts.tsx';
import { PolicyView } from './policy-view.tsx';
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
        {inside && <SetUp />}
        {route.value.view === 'join' ? (
          <JoinView code={route.value.code} />
        ) : access.value === 'out' ? (
          <SignIn />
        ) : inside ? (
          <View />
        ) : (
          <p class="quiet">{t.loading}</p>
        )}
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
      return may('runs:write') ? <LaunchView task={now.task} from={now.from} /> : <RunsView />;
    case 'new-task':
      return may('tasks:write') ? <TaskView /> : <RunsView />;
    case 'access':
      return <AccessView />;
    case 'join':
      return null;
    case 'monitoring':
      return now.task === null ? (
        <TasksView />
      ) : (
        <MonitoringView key={now.task} id={now.task} period={now.period} />
      );
    case 'policy':
      return <PolicyView key={now.task} id={now.task} />;
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
      {may('runs:write') &&
        link(writeRoute({ view: 'launch', task: null, from: null }), t.launch, view === 'launch', 'launch')}
      {may('tasks:write') &&
        link(writeRoute({ view: 'new-task' }), t.newTask, view === 'new-task', 'new-task')}
      {link(
        writeRoute({ view: 'monitoring', task: null, period: null }),
        monitoringText().title,
        view === 'monitoring' || view === 'policy',
        'monitoring',
      )}
      {link(writeRoute({ view: 'compare', runs: [] }), t.compare, view === 'compare')}
      {link(writeRoute({ view: 'access' }), accessText().title, view === 'access', 'access')}
      <button type="button" class="tab" data-testid="sign-out" onClick={() => void act(signOut)}>
        {t.signOut}
      </button>
    </nav>
  );
}

/** Notice to an admin that came by a one-time link: how to set up another way in. */
function SetUp() {
  const own = account.value;
  if (own?.via !== 'one-time-key' || own.hasPassword || route.value.view === 'access') return null;
  const t = accessText();
  return (
    <p class="note warn" role="status" data-testid="set-up">
      {t.setUp} <a href={writeRoute({ view: 'access' })}>{t.setUpLink}</a>
    </p>
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
