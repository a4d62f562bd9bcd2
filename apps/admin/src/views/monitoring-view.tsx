import type { PolicyInfo, TaskInfo, WatchInfo } from '@coppice/protocol';
import { formatNumber, localized } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { fetchTasks } from '../live/api.ts';
import { may } from '../live/live.ts';
import { useTask } from '../live/use-task.ts';
import { storedPolicy } from '../monitoring/policy-form.ts';
import { writeRoute } from '../shell/route.ts';
import { act } from './act.ts';
import { AdmissionSection } from './admission.tsx';
import { DriftSection } from './drift.tsx';
import { FiringsSection } from './firings.tsx';
import { monitoringText } from './monitoring-texts.ts';
import { periodLength } from './period-length.ts';
import { useTaskAdmission } from './use-admission.ts';
import { useChanges, useFirings, usePeriods, usePolicy, useWatch } from './use-monitoring.ts';

/** View of all tasks, each with a link to its monitoring. */
export function TasksView() {
  const t = monitoringText();
  const [tasks, setTasks] = useState<readonly TaskInfo[]>([]);
  useEffect(() => void act(fetchTasks).then((found) => setTasks(found ?? [])), []);
  return (
    <section class="stack">
      <h1>{t.title}</h1>
      <p class="lead">{t.lead}</p>
      <h2>{t.tasks}</h2>
      <ul class="cards plain">
        {tasks.map((task) => (
          <TaskCard key={task.id} task={task} />
        ))}
      </ul>
    </section>
  );
}

function TaskCard({ task }: { task: TaskInfo }) {
  const watch = useWatch(task.id, 1);
  return (
    <li class="card stack tight">
      <a
        href={writeRoute({ view: 'monitoring', task: task.id, period: null })}
        data-testid={`monitoring-${task.id}`}
      >
        <strong>{localized(task.title)}</strong>
      </a>
      <span class="mono small quiet">{task.id}</span>
      {watch !== null && (
        <span>
          <WatchBadge watch={watch} />
        </span>
      )}
    </li>
  );
}

/** View of one task: its drift over time, and the updates that came of it. */
export function MonitoringView({ id, period }: { id: string; period: number | null }) {
  const t = monitoringText();
  const task = useTask(id);
  const changes = useChanges(id);
  const watch = useWatch(id, changes);
  const info = usePolicy(id, changes);
  const live = usePeriods(id, changes);
  const firings = useFirings(id, changes);
  const admission = useTaskAdmission(id, changes);
  const policy = storedPolicy(info?.policy);
  return (
    <article class="stack run-view">
      <header class="stack run-head">
        <p class="eyebrow">
          <a href={writeRoute({ view: 'monitoring', task: null, period: null })}>{t.title}</a> ·{' '}
          <span class="run-id">{id}</span>
        </p>
        <div class="row between">
          <h1>{task === null ? id : localized(task.title)}</h1>
          {watch !== null && <WatchBadge watch={watch} />}
        </div>
        {watch !== null && <Standing watch={watch} />}
        <PolicyLink id={id} info={info} />
      </header>
      <DriftSection
        task={id}
        data={task?.data ?? null}
        live={live}
        chosen={period}
        watch={watch}
        policy={policy}
        firings={firings.firings ?? []}
      />
      <FiringsSection
        task={id}
        data={task?.data ?? null}
        live={firings}
        watch={watch}
        policy={policy}
        period={live.periods?.[0]?.period ?? null}
      />
      <AdmissionSection admission={admission.info?.admission ?? null} live={admission} />
    </article>
  );
}

function PolicyLink({ id, info }: { id: string; info: PolicyInfo | null }) {
  const t = monitoringText();
  const isNew = info !== null && info.policy === null;
  const label = !may('releases:write') ? t.policy : isNew ? t.setUp : t.editPolicy;
  return (
    <p>
      <a
        class={isNew ? 'button primary' : 'button'}
        href={writeRoute({ view: 'policy', task: id })}
        data-testid="policy-link"
      >
        {label}
      </a>
    </p>
  );
}

function WatchBadge({ watch: { state } }: { watch: WatchInfo }) {
  const t = monitoringText();
  const words = {
    off: [t.off, ''],
    'no-release': [t.noRelease, 'warn'],
    reference: [t.reference, ''],
    reports: [t.reports, 'good'],
    'budget-spent': [t.spent, 'bad'],
  } as const;
  const [word, tone] = words[state];
  return (
    <span class={`badge ${tone}`} data-testid="watch-state">
      {word}
    </span>
  );
}

/** The state of a task's watch as sentences. */
function Standing({ watch }: { watch: WatchInfo }) {
  const t = monitoringText();
  const { state, release, privacy, periodMilliseconds, minimum } = watch;
  const checkpoint = release?.checkpoint ?? '–';
  const spent = formatNumber(privacy?.spentEpsilon ?? 0, { maximumSignificantDigits: 3 });
  const budget = formatNumber(privacy?.epsilon ?? 0, { maximumSignificantDigits: 3 });
  const said = {
    off: t.offText,
    'no-release': t.noReleaseText,
    reference: t.referenceText(checkpoint),
    reports: t.reportsText(checkpoint, periodLength(periodMilliseconds ?? 0), minimum ?? 0),
    'budget-spent': t.spentText(spent, budget),
  } as const;
  return (
    <p class="lead" data-testid="watch-standing">
      {said[state]} {privacy !== null && state !== 'budget-spent' && t.privacy(spent, budget)}
    </p>
  );
}
