import { catalogue, Masthead } from '@coppice/ui';
import { Confirmation } from './confirmation.tsx';
import { ConsentPanel } from './consent/consent-panel.tsx';
import { PrivacyMeter } from './consent/privacy-meter.tsx';
import { DataPanel } from './data/data-panel.tsx';
import { problem } from './errors/attempt.ts';
import { ErrorCard } from './errors/error-card.tsx';
import { tab } from './link/one-tab.ts';
import { session } from './link/session.ts';
import { ResultsPanel } from './model/results-panel.tsx';
import { UsePanel } from './model/use-panel.tsx';
import { MonitoringPanel } from './monitoring/monitoring-panel.tsx';
import { UpdateNotice } from './offline/update-notice.tsx';
import { Arrival } from './run/arrival.tsx';
import { chosen, stage } from './run/run.ts';
import { TrainingPanel } from './training/training-panel.tsx';

const text = catalogue(
  {
    skip: 'Skip to the page',
    claim: 'learning together, data at home',
    online: 'Connected',
    offline: 'Not connected',
    connecting: 'Connecting…',
    refused: 'Refused',
    banner:
      'The coordinator is not reachable, perhaps restarting. The page comes back by itself; your examples and your agreement are kept.',
    tabTitle: 'Coppice is open in another tab',
    tabText:
      'One tab of this browser takes part at a time: two would be one participant speaking twice. Go on in the other tab, or bring it over here. Nothing is lost either way.',
    tabHere: 'Use this tab instead',
    foot: 'Free software (Apache 2.0). No account, no cookies, no trackers.',
  },
  {
    skip: '跳到页面内容',
    claim: '一起学习，数据留在家里',
    online: '已连接',
    offline: '未连接',
    connecting: '正在连接……',
    refused: '被拒绝',
    banner: '协调器暂时无法访问，可能正在重启。页面会自动恢复；样本和你的同意都已保留。',
    tabTitle: 'Coppice 已在另一个标签页打开',
    tabText:
      '同一浏览器一次只有一个标签页参与：两个会让同一参与者重复参与。请在那个标签页继续，或改到这里。两种方式都不会丢失内容。',
    tabHere: '改用本页',
    foot: '自由软件（Apache 2.0）。没有账号，没有 Cookie，没有跟踪。',
  },
);

export function App({ takeOver }: { takeOver: () => void }) {
  const t = text();
  return (
    <>
      <a class="button skip-link" href="#main">
        {t.skip}
      </a>
      <Masthead href="/" claim={t.claim}>
        {tab.value !== 'elsewhere' && <ConnectionBadge />}
      </Masthead>
      <main id="main" tabIndex={-1}>
        {tab.value === 'elsewhere' ? <SecondTab takeOver={takeOver} /> : <Page />}
      </main>
      <footer class="foot small quiet">{t.foot}</footer>
      <Confirmation />
    </>
  );
}

function ConnectionBadge() {
  const t = text();
  const connection = session.connection.value;
  const tone = connection === 'online' ? 'good' : connection === 'connecting' ? '' : 'warn';
  return (
    <span class={`badge ${tone}`} data-testid="connection" data-connection={connection}>
      <span class="badge-dot" aria-hidden="true" />
      {t[connection]}
    </span>
  );
}

function SecondTab({ takeOver }: { takeOver: () => void }) {
  const t = text();
  return (
    <section class="sheet stack second-tab" data-testid="second-tab" aria-labelledby="second-title">
      <h1 id="second-title">{t.tabTitle}</h1>
      <p class="lead">{t.tabText}</p>
      <div class="row">
        <button type="button" class="button primary large" data-testid="use-this-tab" onClick={takeOver}>
          {t.tabHere}
        </button>
      </div>
    </section>
  );
}

function Page() {
  return (
    <>
      <Notices />
      {chosen.value === null ? (
        <div class="lone">
          <Arrival />
        </div>
      ) : (
        <div class="columns">
          <div class="column">
            <Arrival />
            <ConsentPanel />
            <TrainingPanel />
          </div>
          <div class="column right">
            <DataPanel />
            <UsePanel />
            <MonitoringPanel />
          </div>
          <div class="column">
            <ResultsPanel />
            <PrivacyMeter />
          </div>
        </div>
      )}
    </>
  );
}

/** Error cards above everything: the session's error, and that of the last action. */
function Notices() {
  const own = problem.value;
  const error = session.error.value;
  const lost = session.connection.value === 'offline';
  // A run that ended says so in its status; said twice it would read as a failure.
  const ended = stage.value === 'over' && error?.code === 'run-ended';
  // The banner says that the coordinator is away; its own farewell would say it twice.
  const farewell = lost && error?.code === 'coordinator-stopping';
  const shown = ended || farewell ? null : error;
  return (
    <div class="notices">
      <UpdateNotice />
      {lost && (
        <p class="note warn" role="status" data-testid="offline">
          {text().banner}
        </p>
      )}
      {own !== null && (
        <ErrorCard
          key={own.code}
          error={own}
          onDismiss={() => {
            problem.value = null;
          }}
        />
      )}
      {shown !== null && shown.code !== own?.code && <ErrorCard key={shown.code} error={shown} />}
    </div>
  );
}
