import { awaitsScaling, type Plan, type RunSummary, type TaskInfo } from '@coppice/protocol';
import { computed, signal } from '@preact/signals';
import { away, session } from '../link/session.ts';
import { lastSeen } from '../offline/last-seen.ts';
import { chooseRun, linkedRun, openRuns, runsToWatch, type Stage, stageOf } from './chosen-run.ts';
import { invitation } from './invitation.ts';
import { takingPart } from './taking-part.ts';

/** Tasks by id, as the coordinator describes them; null until they are fetched. */
export const tasks = signal<ReadonlyMap<string, TaskInfo> | null>(null);
/** The run picked on the page. */
export const picked = signal<string | null>(null);
export const linked = signal<string | null>(
  typeof location === 'undefined' ? null : linkedRun(location.search),
);

/** The coordinator's listed runs; before its first answer, the run last seen here. */
const known = computed(() => {
  const seen = lastSeen.value.value;
  const unanswered = away.value && session.runs.value.length === 0;
  return unanswered && seen !== null ? [seen.run] : session.runs.value;
});

const chosenNow = computed(() =>
  chooseRun(known.value, {
    joined: session.joined.value?.run ?? takingPart.value.value?.run ?? null,
    picked: picked.value,
    linked: linked.value,
    seen: lastSeen.value.value?.run.id ?? null,
  }),
);

export const chosenId = computed(() => chosenNow.value?.id ?? null);
export const chosen = computed<RunSummary | null>(() => chosenNow.value);
export const open = computed(() => openRuns(session.runs.value));
/** Runs to watch while the page is open. */
export const watched = computed(() =>
  runsToWatch(
    [
      session.joined.value?.run,
      takingPart.value.value?.run,
      picked.value,
      linked.value,
      invitation.value.value?.run,
      lastSeen.value.value?.run.id,
    ],
    open.value,
  ),
);
export const chosenTask = computed<TaskInfo | null>(() => {
  const id = chosenNow.value?.task;
  if (id === undefined) return null;
  const seen = lastSeen.value.value?.task;
  const info = tasks.value?.get(id) ?? (seen?.id === id ? seen : null);
  const joined = session.joined.value?.task;
  // A scaling that was awaited when the tasks were fetched may have been agreed since.
  const isScaled = info !== null && joined?.id === id && awaitsScaling(info.data);
  return isScaled ? { ...info, data: joined.data } : info;
});

/** Plans of runs by id, as far as fetched. */
export const plans = signal<ReadonlyMap<string, Plan>>(new Map());

/** The run's own plan; the task's defaults until it is fetched. */
export const plan = computed<Partial<Plan>>(
  () =>
    session.joined.value?.plan ??
    plans.value.get(chosenId.value ?? '') ??
    ((chosenTask.value?.plan ?? {}) as Partial<Plan>),
);

/** The person's stage with the chosen run. */
export const stage = computed<Stage>(() =>
  stageOf(chosenNow.value, {
    joined: session.joined.value?.run ?? null,
    ended: session.activity.value.kind === 'ended',
    wanted: takingPart.value.value?.run ?? null,
  }),
);

/** Fetches the tasks' descriptions. @throws TypeError without a connection. */
export async function fetchTasks(): Promise<void> {
  const response = await fetch('/api/tasks');
  const list = (await response.json()) as TaskInfo[];
  tasks.value = new Map(list.map((task) => [task.id, task]));
}

/** Fetches a run's plan, so that the agreement describes the actual handling of updates. */
export async function fetchPlan(run: string): Promise<void> {
  const response = await fetch(`/api/runs/${run}/plan`);
  if (response.ok) plans.value = new Map(plans.value).set(run, (await response.json()) as Plan);
}
