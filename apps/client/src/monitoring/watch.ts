import { parseSafely, tolerant, type WatchInfo, WatchInfoSchema } from '@coppice/protocol';
import { computed, effect, signal } from '@preact/signals';
import { attempt } from '../errors/attempt.ts';
import { tab } from '../link/one-tab.ts';
import { participant } from '../link/participant.ts';
import { session } from '../link/session.ts';
import { chosenTask } from '../run/run.ts';
import { monitoringConsent } from './consent.ts';

/** Days for which inputs of predictions wait for their outcome. */
export const KEPT_DAYS = 30;

/** Milliseconds between two questions for what is reported, while nothing else tells of a change. */
const INTERVAL = 60_000;

/** What devices report of the chosen task; `null` until it is known. */
export const watchInfo = signal<WatchInfo | null>(null);

/** True where the person agreed to what is reported of the chosen task now. */
export const isMonitored = computed(() => {
  const version = watchInfo.value?.consent ?? null;
  return version !== null && monitoringConsent(chosenTask.value?.id ?? null)?.version === version;
});

/** Asks what is reported of a task. A coordinator that cannot be reached is asked again. */
async function look(task: string): Promise<void> {
  const response = await fetch(`/api/tasks/${task}/watch`, { cache: 'no-cache' });
  if (!response.ok) return;
  const parsed = parseSafely(tolerant(WatchInfoSchema), await response.json());
  if (parsed.success && chosenTask.peek()?.id === task) watchInfo.value = parsed.data;
}

/** Follows the watch of the chosen task, and reports where the person agreed to what is reported now. */
export function watchTask(): void {
  effect(() => {
    const task = chosenTask.value?.id;
    watchInfo.value = null;
    if (task === undefined) return;
    const again = () => void look(task).catch(() => {});
    again();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') again();
    }, INTERVAL);
    return () => clearInterval(timer);
  });
  // News of a release, a new connection, and what a report found out change what is reported.
  effect(() => {
    const task = chosenTask.value?.id;
    const online = session.connection.value === 'online';
    if (task === undefined || !online) return;
    session.releases.value[task];
    void look(task).catch(() => {});
  });
  effect(() => {
    const told = session.monitored.value[chosenTask.value?.id ?? '']?.info ?? null;
    if (told !== null) watchInfo.value = told;
  });
  let reporting: string | null = null;
  effect(() => {
    const task = chosenTask.value?.id ?? null;
    const consent = monitoringConsent(task);
    const asked = watchInfo.value?.consent ?? null;
    // While it is not known what is reported, what was counted stays.
    if (task !== null && consent !== null && asked === null) return;
    const wanted =
      task !== null && consent !== null && consent.version === asked
        ? `${task} ${consent.version} ${consent.keepInputs}`
        : null;
    if (tab.value !== 'ours' || wanted === reporting) return;
    const before = reporting?.split(' ')[0];
    reporting = wanted;
    if (before !== undefined && before !== task)
      void attempt('monitor', () => participant().unmonitor(before));
    if (task === null) return;
    if (wanted === null || consent === null) {
      if (before === task) void attempt('monitor', () => participant().unmonitor(task));
      return;
    }
    const { version, keepInputs } = consent;
    void attempt('monitor', () =>
      participant().monitor(task, {
        consent: version,
        ...(keepInputs ? { keepInputs: { days: KEPT_DAYS } } : {}),
      }),
    );
  });
  // A phone ends hidden pages without a word.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden' && tab.peek() === 'ours') void participant().saveCounts();
  });
}
