import { CoppiceError } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { StateStore } from './state-store.ts';

it('tells listeners of each change, until they have heard enough, and never changes a state that was told', () => {
  const store = new StateStore();
  const before = store.state;
  const told: boolean[] = [];
  const stop = store.subscribe(({ paused }) => told.push(paused));
  store.set({ paused: true });
  store.set({ paused: false });
  stop();
  store.set({ paused: true });
  expect(told).toEqual([true, false]);
  expect([before.paused, store.state.paused]).toEqual([false, true]);
});

it('shows a failure by its code, and one without a code as internal', () => {
  const store = new StateStore();
  store.fail(new CoppiceError('data-empty', 'There are no examples.'));
  expect(store.state.error?.code).toBe('data-empty');
  store.fail(new Error('a bug'));
  expect(store.state.error?.code).toBe('internal');
});
