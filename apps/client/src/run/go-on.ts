import { termsVersion } from '@coppice/protocol';
import { computed, effect } from '@preact/signals';
import { labelFacts } from '../consent/label-facts.ts';
import { statements } from '../consent/statements.ts';
import { tab } from '../link/one-tab.ts';
import { remembered } from '../link/remembered.ts';
import { session } from '../link/session.ts';
import { agreeTo, start } from './actions.ts';
import { laterTerms, runToGoOnWith } from './later-runs.ts';
import { fetchPlan, picked, plans, tasks } from './run.ts';
import { takingPart } from './taking-part.ts';

/** The run that the person took part in at last: one that was left is not joined again. */
const lastTaken = remembered<string | null>(
  'last-run',
  null,
  (value): value is string | null => value === null || typeof value === 'string',
);

/** Terms of the running runs of tasks whose later runs the person agreed to. */
const known = computed(() => {
  const terms = new Map<string, string>();
  for (const { id, task } of session.runs.value) {
    const [description, plan] = [tasks.value?.get(task), plans.value.get(id)];
    if (description !== undefined && plan !== undefined)
      terms.set(id, termsVersion(labelFacts(description, plan)));
  }
  return terms;
});

/** Takes part in later runs that the person agreed to, as soon as they run. */
export function goOnWithLaterRuns(): void {
  effect(() => {
    const taken = takingPart.value.value?.run;
    if (taken !== undefined) lastTaken.set(taken);
  });
  effect(() => {
    for (const { id, task, status } of session.runs.value)
      if (status === 'running' && laterTerms(task) !== null && !plans.value.has(id))
        fetchPlan(id).catch(() => {});
  });
  effect(() => {
    if (tab.value !== 'ours' || session.connection.value !== 'online') return;
    const taken = takingPart.value.value?.run ?? lastTaken.value.value;
    const next = runToGoOnWith(session.runs.value, taken, known.value, laterTerms);
    if (next === null) return;
    const run = session.runs.value.find(({ id }) => id === next);
    const description = tasks.value?.get(run?.task ?? '');
    const plan = plans.value.get(next);
    if (description === undefined || plan === undefined) return;
    lastTaken.set(next);
    picked.value = next;
    agreeTo(
      statements(labelFacts(description, plan), session.operator.value ?? '', { secure: isSecureContext }),
    );
    void start();
  });
}
