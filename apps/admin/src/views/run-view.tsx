import {
  type CheckpointId,
  partsOfCheckpointId,
  type Round,
  type Run,
  type RunAction,
} from '@coppice/protocol';
import { Confirm, formatDateTime, localized } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { actOnRun } from '../live/api.ts';
import { learn, may, state, wantRounds } from '../live/live.ts';
import { useTask } from '../live/use-task.ts';
import { writeRoute } from '../shell/route.ts';
import { phaseWords, statusTones, statusWords } from '../words.ts';
import { act } from './act.ts';
import { AdmissionSection } from './admission.tsx';
import { admissionText, admissionWords } from './admission-texts.ts';
import { Checkpoints } from './checkpoints.tsx';
import { EventLog } from './event-log.tsx';
import { Figures } from './figures.tsx';
import { Participants } from './participants.tsx';
import { CopyButton } from './parts.tsx';
import { PhaseStrip } from './phase-strip.tsx';
import { PlanTable } from './plan-table.tsx';
import { Refused } from './refused.tsx';
import { ReleasesSection } from './releases.tsx';
import { RoundCharts } from './round-charts.tsx';
import { Rounds } from './rounds.tsx';
import { Standing, Troubles } from './standing.tsx';
import { TaskData } from './task-data.tsx';
import { text } from './texts.ts';
import { useAdmission } from './use-admission.ts';
import { useReleases } from './use-releases.ts';

const noRounds: readonly Round[] = [];

/** View of one run, live. */
export function RunView({ id }: { id: string }) {
  const run = state.value.runs.get(id);
  if (run === undefined) return <p class="note warn">{text().unknownRun}</p>;
  return <KnownRun key={id} run={run} />;
}

function KnownRun({ run }: { run: Run }) {
  const t = text();
  const { id } = run;
  useEffect(() => wantRounds(id), [id]);
  const admission = useAdmission(run);
  const releases = useReleases(run.task);
  const task = useTask(run.task, run.phase) ?? null;
  const data = task?.data ?? null;
  const rounds = state.value.rounds.get(id) ?? noRounds;
  const rows = state.value.participants.get(id) ?? [];
  const events = state.value.events.filter((event) => event.run === id);
  const over = isOver(run);
  return (
    <article class="stack run-view">
      <header class="stack run-head">
        <p class="eyebrow">
          <span class="run-id">{run.id}</span> · {t.created} {formatDateTime(run.createdAt)}
          {run.from !== null && <Origin from={run.from} />}
          {run.firstWeights !== undefined && (
            <span data-testid="run-first-weights">
              {' · '}
              {run.firstWeights === 'given' ? t.beganGiven : t.beganSeed}
            </span>
          )}
        </p>
        <div class="row between">
          <h1>{localized(run.title)}</h1>
          <div class="row tight-row">
            <span class={`badge ${statusTones[run.status]}`} data-testid="run-status">
              {statusWords()[run.status]}
            </span>
            {run.admission !== 'open' && (
              <span class="badge" data-testid="run-admission">
                {admissionWords()[run.admission]}
              </span>
            )}
            <span class="badge" data-testid="run-phase">
              {phaseWords()[run.phase]}
            </span>
          </div>
        </div>
        {/* Above all that comes and goes with the rounds: a button that moves is a wrong button pressed. */}
        <Controls run={run} />
        <Standing run={run} rounds={rounds} />
        {!over && <PhaseStrip run={run} />}
        <Troubles run={run} rounds={rounds} />
        {!over && <ClientLink run={run} />}
      </header>
      <Figures run={run} rounds={rounds} task={task} />
      <RoundCharts run={run.id} rounds={rounds} task={task} />
      <Rounds rounds={rounds} />
      <div class="halves">
        <EventLog events={events} />
        <Refused events={events} />
      </div>
      <AdmissionSection admission={run.admission} live={admission} />
      <Participants run={run.id} rows={rows} admission={admission} />
      <ReleasesSection run={run} live={releases} />
      <Checkpoints run={run} releases={releases} />
      {data !== null && <TaskData data={data} />}
      <PlanTable run={run} />
    </article>
  );
}

/** The checkpoint that a run began from, with a link to its run. */
function Origin({ from }: { from: CheckpointId }) {
  return (
    <>
      {' · '}
      {text().beganFrom}{' '}
      <a href={writeRoute({ view: 'run', run: partsOfCheckpointId(from).run })} data-testid="run-origin">
        {from}
      </a>
    </>
  );
}

function isOver({ status }: Run): boolean {
  return status === 'finished' || status === 'stopped' || status === 'failed';
}

function Controls({ run }: { run: Run }) {
  const t = text();
  const [asking, setAsking] = useState<'stop' | 'end-round' | null>(null);
  const go = (action: RunAction) => void act(async () => learn(await actOnRun(run.id, action)));
  const over = isOver(run) || !may('runs:write');
  return (
    <div class="row">
      {!over && run.status === 'created' && (
        <button type="button" class="button primary" data-testid="start-run" onClick={() => go('start')}>
          {t.start}
        </button>
      )}
      {!over && run.status === 'running' && (
        <button type="button" class="button" data-testid="pause" onClick={() => go('pause')}>
          {t.pause}
        </button>
      )}
      {!over && run.status === 'paused' && (
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
      {may('runs:write') && (
        <a class="button" href={writeRoute({ view: 'launch', task: run.task, from: run.id })}>
          {t.clone}
        </a>
      )}
      <a class="button" href={writeRoute({ view: 'compare', runs: [run.id] })}>
        {t.compare}
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

function ClientLink({ run }: { run: Run }) {
  const t = text();
  const address = `${state.value.client || `${location.origin}/`}?run=${run.id}`;
  return (
    <p class="row client-line">
      <span class="eyebrow">{t.clientLink}</span>
      <a href={address} data-testid="client-link">
        {address}
      </a>
      <CopyButton value={address} />
      {run.admission !== 'open' && (
        <span class="small quiet">
          {run.admission === 'invited' ? admissionText().plainLink : admissionText().plainLinkListed}
        </span>
      )}
    </p>
  );
}
