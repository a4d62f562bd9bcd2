import type { Round, Run, RunAction } from '@coppice/protocol';
import { Confirm, formatBytes, formatDuration, formatShare, localized } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { actOnRun } from '../live/api.ts';
import { coordinatorNow, state, wantRounds } from '../live/live.ts';
import { writeRoute } from '../shell/route.ts';
import { phaseWords, statusTones, statusWords } from '../words.ts';
import { act } from './act.ts';
import { Checkpoints } from './checkpoints.tsx';
import { EventLog } from './event-log.tsx';
import { Participants } from './participants.tsx';
import { CopyButton, Figure, tick } from './parts.tsx';
import { PlanTable } from './plan-table.tsx';
import { RoundCharts } from './round-charts.tsx';
import { RoundTimeline } from './round-timeline.tsx';
import { text } from './texts.ts';

export function RunView({ id }: { id: string }) {
  const t = text();
  useEffect(() => wantRounds(id), [id]);
  const run = state.value.runs.get(id);
  if (run === undefined) return <p class="note warn">{t.unknownRun}</p>;
  const rounds = state.value.rounds.get(id) ?? [];
  const rows = state.value.participants.get(id) ?? [];
  const last = rounds.at(-1);
  return (
    <article class="stack run-view">
      <header class="stack tight">
        <p class="eyebrow">
          <span class="run-id">{run.id}</span>
        </p>
        <h1>{localized(run.title)}</h1>
        <div class="row" aria-live="polite">
          <span class={`badge ${statusTones[run.status]}`} data-testid="run-status">
            {statusWords()[run.status]}
          </span>
          <span class="badge" data-testid="run-phase">
            {phaseWords()[run.phase]}
          </span>
          <Countdown run={run} />
        </div>
        <Standing run={run} last={last} />
        <Controls run={run} />
      </header>
      <Figures run={run} rounds={rounds} />
      <ClientLink run={run} />
      <RoundCharts rounds={rounds} />
      {last !== undefined && <RoundTimeline round={last} />}
      <Participants rows={rows} />
      <Checkpoints run={run} />
      <EventLog run={run.id} />
      <PlanTable plan={run.plan} />
    </article>
  );
}

function Countdown({ run }: { run: Run }) {
  const t = text();
  if (run.deadlineAt === null) return null;
  // Read so that it counts.
  void tick.value;
  return <span class="small quiet">{t.closesIn(formatDuration(run.deadlineAt - coordinatorNow()))}</span>;
}

/** What is in the way, if anything is. */
function Standing({ run, last }: { run: Run; last: Round | undefined }) {
  const t = text();
  if (run.reason !== null && run.status === 'failed') {
    return (
      <p class="note bad">
        {run.reason.message} <code>{run.reason.code}</code>
      </p>
    );
  }
  const waiting = run.status === 'running' && run.phase === 'waiting';
  return (
    <>
      {waiting && run.participants === 0 && <p class="note">{t.nobody}</p>}
      {waiting && run.participants > 0 && run.participants < run.needed && (
        <p class="note">{t.waitingFor(run.participants, run.needed)}</p>
      )}
      {last?.outcome === 'abandoned' && last.reason !== null && (
        <p class="note warn">
          {t.abandoned(last.round)} {last.reason.message} <code>{last.reason.code}</code>
        </p>
      )}
    </>
  );
}

function Controls({ run }: { run: Run }) {
  const t = text();
  const [asking, setAsking] = useState<'stop' | 'end-round' | null>(null);
  const go = (action: RunAction) => void act(() => actOnRun(run.id, action));
  const over = run.status === 'finished' || run.status === 'stopped' || run.status === 'failed';
  return (
    <div class="row">
      {run.status === 'created' && (
        <button type="button" class="button primary" data-testid="start-run" onClick={() => go('start')}>
          {t.start}
        </button>
      )}
      {run.status === 'running' && (
        <button type="button" class="button" data-testid="pause" onClick={() => go('pause')}>
          {t.pause}
        </button>
      )}
      {run.status === 'paused' && (
        <button type="button" class="button primary" data-testid="resume" onClick={() => go('resume')}>
          {t.resume}
        </button>
      )}
      {!over && (
        <button
          type="button"
          class="button"
          data-testid="end-round"
          disabled={run.phase !== 'collect'}
          onClick={() => setAsking('end-round')}
        >
          {t.endRound}
        </button>
      )}
      {!over && (
        <button type="button" class="button danger" data-testid="stop" onClick={() => setAsking('stop')}>
          {t.stop}
        </button>
      )}
      <a class="button" href={writeRoute({ view: 'launch', task: run.task, from: run.id })}>
        {t.clone}
      </a>
      <Confirm
        open={asking !== null}
        title={asking === 'stop' ? t.stopTitle : t.endTitle}
        action={asking === 'stop' ? t.stop : t.endRound}
        danger={asking === 'stop'}
        onConfirm={() => {
          if (asking !== null) go(asking);
          setAsking(null);
        }}
        onCancel={() => setAsking(null)}
      >
        <p>{asking === 'stop' ? t.stopText : t.endText}</p>
      </Confirm>
    </div>
  );
}

function Figures({ run, rounds }: { run: Run; rounds: readonly Round[] }) {
  const t = text();
  const accuracies = rounds.flatMap(({ central }) => (central?.accuracy == null ? [] : [central.accuracy]));
  const best = accuracies.length === 0 ? undefined : `${t.best} ${formatShare(Math.max(...accuracies))}`;
  const up = rounds.reduce((sum, { bytesUp }) => sum + bytesUp, 0);
  const down = rounds.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
  return (
    <div class="figures">
      <Figure label={t.rounds} value={`${run.round} / ${run.rounds}`} testId="run-round" />
      <Figure
        label={t.accuracy}
        value={run.central?.accuracy == null ? '–' : formatShare(run.central.accuracy)}
        detail={best}
      />
      <Figure label={t.participants} value={String(run.participants)} />
      <Figure
        label={t.bytes}
        value={formatBytes(up + down)}
        detail={`${formatBytes(up)} ↑ ${formatBytes(down)} ↓`}
      />
    </div>
  );
}

function ClientLink({ run }: { run: Run }) {
  const t = text();
  const address = `${state.value.client || `${location.origin}/`}?run=${run.id}`;
  return (
    <p class="row">
      <span class="eyebrow">{t.clientLink}</span>
      <a href={address} data-testid="client-link">
        {address}
      </a>
      <CopyButton value={address} />
    </p>
  );
}
