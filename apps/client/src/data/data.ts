import type { QualityFinding } from '@coppice/datasets';
import type { DataSummary } from '@coppice/participant';
import { effect, signal } from '@preact/signals';
import * as Comlink from 'comlink';
import { attempt, attemptInView } from '../errors/attempt.ts';
import { tab } from '../link/one-tab.ts';
import { participant } from '../link/participant.ts';
import { chosenTask } from '../run/run.ts';

/** Summary of this device's examples of the chosen task; null until they are open. */
export const summary = signal<DataSummary | null>(null);
export const findings = signal<readonly QualityFinding[]>([]);
/** True while examples are added or deleted; the buttons wait. */
export const busy = signal(false);

/** Pending until the worker has opened the examples of the chosen task. */
let opening: Promise<unknown> = Promise.resolve();

/** Milliseconds without changes before the quality check: reading all examples takes the worker a moment. */
const SETTLED = 600;

/** Keeps the examples of the chosen task open, and their summary and advice up to date. */
export function watchData(): void {
  let opened: string | null = null;
  let listening = false;
  effect(() => {
    const task = chosenTask.value?.id ?? null;
    if (tab.value !== 'ours') {
      opened = null;
      listening = false;
      return;
    }
    if (task === null || task === opened) return;
    opened = task;
    summary.value = null;
    opening = attempt('open', async () => {
      if (!listening) {
        listening = true;
        await participant().subscribeData(
          Comlink.proxy((next: DataSummary) => {
            summary.value = next;
          }),
        );
      }
      const first = await participant().openTask(task);
      if (opened === task) summary.value = first;
    });
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const now = summary.value;
    clearTimeout(timer);
    if (now === null || now.count === 0) {
      findings.value = [];
      return;
    }
    timer = setTimeout(() => {
      participant()
        .checkQuality()
        .then(
          (found) => {
            findings.value = found;
          },
          // Advice that cannot be had is no failure to speak of.
          () => {},
        );
    }, SETTLED);
  });
}

/** Runs a change of the examples, one at a time, once they are open. */
export async function change<T>(work: () => Promise<T>): Promise<T | undefined> {
  busy.value = true;
  const result = await attemptInView('examples', async () => {
    await opening;
    return work();
  });
  busy.value = false;
  return result;
}
