import { catalogue, formatBytes, formatDuration, formatNumber } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { care, wantsPause } from '../care/care.ts';
import { DeviceCare, EasedNotice } from '../care/care-panel.tsx';
import { consentTo } from '../consent/consent.ts';
import { away, session } from '../link/session.ts';
import { leave, pause, resume, start } from '../run/actions.ts';
import { chosen, stage } from '../run/run.ts';
import { takingPart } from '../run/taking-part.ts';
import { BackendNotice } from './backend-notice.tsx';
import { backendWords } from './backend-words.ts';
import { timeLeft } from './eta.ts';
import { MyPart } from './my-part.tsx';
import { Rings } from './rings.tsx';
import { roundTimes } from './round-record.ts';
import { isBusy, statusSentence } from './status.ts';
import { useThrottled } from './use-throttled.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'Train together',
    start: 'Start',
    pause: 'Pause',
    resume: 'Resume',
    goOnAnyway: 'Go on anyway',
    leave: 'Leave',
    addData: 'Add examples',
    agreeFirst: 'Agree to what happens first; then this starts.',
    startAway: 'This can start when the coordinator is reachable again.',
    left: 'Time left',
    unknown: 'known after a round',
    here: 'Here now',
    hereValue: (joined: number, working: number, done: number) =>
      `${n(joined)} joined · ${n(working)} working · ${n(done)} done`,
    backend: 'Computes with',
    noPlan: (why: string) => `There is no plan for this model: ${why}.`,
    notYet: 'chosen at the first round',
    speed: (value: string) => `${value} examples a second`,
    model: 'Newest model',
    modelOf: (round: number) => (round === 0 ? 'before the first round' : `of round ${n(round)}`),
    received: 'Received',
    people: (needed: number, here: number) => `${n(here)} here, ${n(needed)} needed to begin a round`,
  },
  {
    title: '一起训练',
    start: '开始',
    pause: '暂停',
    resume: '继续',
    goOnAnyway: '仍要继续',
    leave: '退出',
    addData: '去添加样本',
    agreeFirst: '请先同意上面的说明，然后即可开始。',
    startAway: '协调器恢复连接后即可开始。',
    left: '剩余时间',
    unknown: '一轮之后可知',
    here: '当前在线',
    hereValue: (joined, working, done) => `${n(joined)} 人加入 · ${n(working)} 人训练中 · ${n(done)} 人完成`,
    backend: '计算方式',
    noPlan: (why) => `无法为此模型制定计划：${why}。`,
    notYet: '首轮时选定',
    speed: (value) => `每秒 ${value} 个样本`,
    model: '最新模型',
    modelOf: (round) => (round === 0 ? '首轮之前' : `第 ${n(round)} 轮`),
    received: '已接收',
    people: (needed, here) => `现有 ${n(here)} 人，开始一轮需要 ${n(needed)} 人`,
  },
);

export function TrainingPanel() {
  return (
    <section class="sheet stack" aria-labelledby="training-title" id="training">
      <h2 id="training-title">{text().title}</h2>
      <StatusLine />
      <NeedsData />
      <Controls />
      <BackendNotice />
      <EasedNotice />
      <Rings />
      <Facts />
      <MyPart />
      <DeviceCare />
    </section>
  );
}

/** Shortest interval between changes of the status sentence while it changes all the time. */
const SENTENCE_INTERVAL = 2000;

function StatusLine() {
  const activity = session.activity.value;
  const sentence = statusSentence({
    stage: stage.value,
    connection: session.connection.value,
    activity,
    run: chosen.value,
    peers: session.peers.value,
    // A pause by hand ends only by hand.
    care: takingPart.value.value?.paused === true ? null : care.value.pause,
    consented: consentTo(chosen.value?.id ?? null) !== null,
  });
  const busy = stage.value === 'in' && session.connection.value === 'online' && isBusy(activity);
  return (
    <p class="status" data-testid="status" data-activity={activity.kind} role="status" aria-live="polite">
      {useThrottled(sentence, busy, SENTENCE_INTERVAL)}
    </p>
  );
}

function NeedsData() {
  if (session.activity.value.kind !== 'needs-data') return null;
  return (
    <p>
      <a href="#data">{text().addData}</a>
    </p>
  );
}

function Controls() {
  const t = text();
  const now = stage.value;
  if (now === 'over') return null;
  if (now === 'out') {
    const agreed = consentTo(chosen.value?.id ?? null) !== null;
    // Pressed, and not answered yet.
    const joining = takingPart.value.value !== null;
    return (
      <div class="row">
        <button
          type="button"
          class="button primary large"
          data-testid="start"
          disabled={!agreed || away.value || joining}
          aria-busy={joining}
          onClick={() => void start()}
        >
          {t.start}
        </button>
        {chosen.value !== null && (away.value || !agreed) && (
          <span class="small quiet">{away.value ? t.startAway : t.agreeFirst}</span>
        )}
      </div>
    );
  }
  const paused = wantsPause.value || session.paused.value;
  return (
    <div class="row">
      {paused ? (
        <button type="button" class="button primary large" data-testid="resume" onClick={() => resume()}>
          {care.value.pause !== null && takingPart.value.value?.paused !== true ? t.goOnAnyway : t.resume}
        </button>
      ) : (
        <button
          type="button"
          class="button large"
          data-testid="pause"
          disabled={takingPart.value.value === null}
          onClick={() => pause()}
        >
          {t.pause}
        </button>
      )}
      <button type="button" class="button large" data-testid="leave" onClick={() => void leave()}>
        {t.leave}
      </button>
    </div>
  );
}

function Facts() {
  const t = text();
  const run = chosen.value;
  if (run === null) return null;
  const backend = session.backend.value;
  const speed = session.speed.value;
  const peers = session.peers.value;
  const model = session.model.value;
  return (
    <dl class="facts">
      <TimeLeft />
      {stage.value !== 'over' && !away.value && (
        <div>
          <dt>{t.here}</dt>
          <dd>
            {peers === null || peers.joined === 0
              ? t.people(run.needed, run.participants)
              : t.hereValue(peers.joined, peers.working, peers.done)}
          </dd>
        </div>
      )}
      <div>
        <dt>{t.backend}</dt>
        <dd>
          <span data-testid="backend" data-backend={backend ?? ''}>
            {backend === null ? t.notYet : backendWords()[backend]}
          </span>
          {session.backendNote.value !== null && (
            <span class="small quiet"> {t.noPlan(session.backendNote.value)}</span>
          )}
          {speed !== null && ` · ${t.speed(formatNumber(speed, { maximumSignificantDigits: 3 }))}`}
        </dd>
      </div>
      <div>
        <dt>{t.model}</dt>
        <dd>
          {model === null ? '–' : t.modelOf(model.round)}
          {model !== null && ` · ${t.received} ${formatBytes(session.received.value.bytes)}`}
        </dd>
      </div>
    </dl>
  );
}

/** Time left, counted down every second, between rounds too. */
function TimeLeft() {
  const t = text();
  const run = chosen.value;
  const [now, setNow] = useState(() => Date.now());
  // While a round cannot begin for want of people, how long it takes says nothing.
  const short = run?.phase === 'waiting' && run.participants < run.needed;
  const going = run?.status === 'running' && run.round < run.rounds && !away.value && !short;
  useEffect(() => {
    if (!going) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [going]);
  if (run === null || !going) return null;
  const left = timeLeft(roundTimes.value, run.rounds, now);
  return (
    <div>
      <dt>{t.left}</dt>
      <dd>{left === null ? t.unknown : formatDuration(left)}</dd>
    </div>
  );
}
