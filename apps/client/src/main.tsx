import '@coppice/ui/tokens.css';
import '@coppice/ui/base.css';
import './style/page.css';
import './style/training.css';
import './style/data.css';
import type { SessionState } from '@coppice/participant';
import { initialState } from '@coppice/participant/session-state';
import type { ErrorCode } from '@coppice/protocol';
import { startLanguage, startTheme } from '@coppice/ui';
import { computed, effect } from '@preact/signals';
import * as Comlink from 'comlink';
import { render } from 'preact';
import { App } from './app.tsx';
import { watchDevice } from './care/care.ts';
import { watchData } from './data/data.ts';
import { attempt, problem } from './errors/attempt.ts';
import { holdTab, tab } from './link/one-tab.ts';
import { participant, startWorker, stopWorker } from './link/participant.ts';
import { releasedModel, session, takeState } from './link/session.ts';
import { watchTask } from './monitoring/watch.ts';
import { lastSeen, rememberLastSeen } from './offline/last-seen.ts';
import { keepForOffline } from './offline/update.ts';
import { join } from './run/actions.ts';
import { goOnWithLaterRuns } from './run/go-on.ts';
import { forgetInvitation, invitation, takeInvitations } from './run/invitation.ts';
import {
  chosen,
  chosenId,
  chosenTask,
  fetchPlan,
  fetchTasks,
  plans,
  stage,
  tasks,
  watched,
} from './run/run.ts';
import { takingPart } from './run/taking-part.ts';
import { watchBackend } from './training/backend-notice.tsx';
import { watchRounds } from './training/round-record.ts';
import type { ReleasedModel } from './worker/api.ts';

startLanguage();
startTheme();
takeInvitations();

const { takeOver } = holdTab(
  () => {
    const api = startWorker((error) => {
      problem.value = error.toWire();
    });
    void attempt('connect', async () => {
      await api.subscribe(Comlink.proxy((state: SessionState) => takeState(state)));
      await api.seen(document.visibilityState === 'visible');
      await api.subscribeReleased(
        Comlink.proxy((model: ReleasedModel | null) => {
          releasedModel.value = model;
        }),
      );
      // Said before the connection stands, it is done as soon as it does; a reload goes on by itself.
      await api.watch(watched.peek());
      await join();
      await api.connect(lastSeen.value.peek()?.task ?? null);
    });
  },
  () => {
    stopWorker();
    takeState(initialState);
    releasedModel.value = null;
  },
);

watchDevice();
watchRounds();
watchBackend();
watchData();
watchTask();
goOnWithLaterRuns();
rememberLastSeen(() => ({ run: chosen.value, task: chosenTask.value }));
// A browser that keeps nothing for a site is no failure; the page then needs the coordinator to open.
if (import.meta.env.PROD) keepForOffline().catch(() => {});

/** Codes after which the page cannot go on. */
const shutOut: ReadonlySet<ErrorCode> = new Set([
  'run-unknown',
  'run-ended',
  'run-not-admitted',
  'invitation-invalid',
  'participant-banned',
]);

// A run that is over is not joined again at the next visit.
effect(() => {
  const wanted = takingPart.value.value?.run;
  const ended = session.activity.value.kind === 'ended' && session.joined.value?.run === wanted;
  if (wanted !== undefined && (stage.value === 'over' || ended)) takingPart.set(null);
});
// Nor is one that the coordinator no longer takes this device into.
effect(() => {
  const code = session.error.value?.code;
  if (session.joined.value === null && code !== undefined && shutOut.has(code)) takingPart.set(null);
  if (code === 'invitation-invalid') invitation.set(null);
});
// An invitation opens the door once; from then on the run knows this browser.
effect(() => {
  if (session.joined.value !== null) forgetInvitation(session.joined.value.run);
});
effect(() => {
  const run = chosenId.value;
  if (run !== null && !plans.value.has(run)) fetchPlan(run).catch(() => {});
});
// The coordinator tells of the runs that are shown here.
const watchedNow = computed(() => watched.value.join());
effect(() => {
  const runs = watchedNow.value.split(',').filter((id) => id !== '');
  if (tab.peek() !== 'ours') return;
  // A lost line is no matter: the next connection asks again.
  participant()
    .watch(runs)
    .catch(() => {});
});
// The tasks come over HTTP: at once, and again when the socket stands or a run of another task comes up.
const tasksInUse = computed(() => [...new Set(session.runs.value.map(({ task }) => task))].sort().join());
effect(() => {
  const known = tasks.peek();
  const missing = tasksInUse.value.split(',').some((task) => task !== '' && known?.has(task) !== true);
  const online = session.connection.value === 'online';
  if (known === null || (online && missing)) fetchTasks().catch(() => {});
});

const page = document.getElementById('page');
if (page === null) throw new Error('the page has no place to draw in');
render(<App takeOver={takeOver} />, page);
