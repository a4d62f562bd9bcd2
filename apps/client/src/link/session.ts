import { initialState, type SessionState } from '@coppice/participant/session-state';
import { batch, computed, type Signal, signal } from '@preact/signals';
import type { ReleasedModel } from '../worker/api.ts';

type Fields = { readonly [K in keyof SessionState]: Signal<SessionState[K]> };

/** The worker's state, one signal for each field: a training step updates the rings and nothing else on the page. */
export const session = Object.fromEntries(
  Object.entries(initialState).map(([key, value]) => [key, signal(value)]),
) as unknown as Fields;

/** The released model that predicts on this device; `null`: none does yet. */
export const releasedModel = signal<ReleasedModel | null>(null);

/** True while the coordinator is unreachable, so that its data may be out of date. */
export const away = computed(
  () => session.connection.value === 'offline' || session.connection.value === 'refused',
);

/** Applies a new state. Every one is a fresh copy, so fields are compared by value. */
export function takeState(next: SessionState): void {
  batch(() => {
    for (const key of Object.keys(next) as (keyof SessionState)[]) takeField(key, next);
  });
}

function takeField<K extends keyof SessionState>(key: K, next: SessionState): void {
  const field = session[key] as Signal<SessionState[K]>;
  if (!same(key, field.peek(), next[key])) field.value = next[key];
}

/** Cheap equality: long lists by their ends, the task by its name. */
export function same<K extends keyof SessionState>(
  key: K,
  before: SessionState[K],
  after: SessionState[K],
): boolean {
  if (before === after) return true;
  if (before === null || after === null) return false;
  if (key === 'joined') return (before as { run: string }).run === (after as { run: string }).run;
  if (key === 'outbound' || key === 'outcomes' || key === 'localMetrics') {
    const [old, now] = [before as readonly unknown[], after as readonly unknown[]];
    return old.length === now.length && JSON.stringify(old.at(-1)) === JSON.stringify(now.at(-1));
  }
  return JSON.stringify(before) === JSON.stringify(after);
}
