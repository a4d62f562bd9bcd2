import { computed, effect, signal } from '@preact/signals';
import * as Comlink from 'comlink';
import { tab } from '../link/one-tab.ts';
import { participant } from '../link/participant.ts';
import { session } from '../link/session.ts';
import { takingPart } from '../run/taking-part.ts';
import { type CareReason, deviceCare } from './policy.ts';
import { overloaded, readings, watchReadings } from './readings.ts';
import { backendChoice, settings } from './settings.ts';
import { calm, type Effort, ease, noteEffort, spare } from './strain.ts';

const strain = signal(calm);
/** Overridden reasons: the person trains in spite of them, as long as they last. */
const allowed = signal<readonly CareReason[]>([]);

export const care = computed(() =>
  deviceCare({ ...readings.value, strain: strain.value.cause }, settings.value, allowed.value),
);

export const wantsPause = computed(
  () => takingPart.value.value?.paused === true || care.value.pause !== null,
);

/** Overrides all current reasons for a pause. */
export function goOnAnyway(): void {
  allowed.value = care.peek().reasons;
}

/** Milliseconds for which an overloaded device is spared: time to cool down, and no oscillation. */
const SPARED = 120_000;
/** Milliseconds after which an overload counts: loading a page causes a short one. */
const OVERLOAD_LASTS = 20_000;

/** Watches the device, and applies the decided pace or pause to the worker. */
export function watchDevice(): void {
  watchReadings();
  effect(() => {
    const standing = care.value.reasons;
    const left = allowed.peek().filter((reason) => standing.includes(reason));
    if (left.length < allowed.peek().length) allowed.value = left;
  });
  effect(() => {
    if (strain.value.cause === null) return undefined;
    const timer = setTimeout(() => {
      strain.value = ease(strain.peek());
    }, SPARED);
    return () => clearTimeout(timer);
  });
  const calmNow = computed(() => strain.value.cause === null);
  effect(() => {
    if (!overloaded.value || !calmNow.value) return undefined;
    const timer = setTimeout(() => {
      strain.value = spare(strain.peek(), 'pressure');
    }, OVERLOAD_LASTS);
    return () => clearTimeout(timer);
  });

  effect(() => {
    // A worker begins with this tab's turn, and knows nothing.
    if (tab.value !== 'ours') return;
    participant()
      .watchEffort(
        Comlink.proxy((effort: Effort) => {
          strain.value = noteEffort(strain.peek(), effort);
        }),
      )
      .catch(() => {});
  });
  const share = computed(() => care.value.share);
  effect(() => {
    if (tab.value === 'ours')
      participant()
        .setShare(share.value)
        .catch(() => {});
  });
  effect(() => {
    const choice = backendChoice.value.value;
    if (tab.value === 'ours')
      participant()
        .setBackend(choice === 'fastest' ? null : choice)
        .catch(() => {});
  });
  const active = computed(() => session.joined.value !== null && session.activity.value.kind !== 'ended');
  effect(() => {
    if (!active.value) return;
    if (wantsPause.value === session.paused.value) return;
    // Told to the coordinator where there is one; a lost answer is said again at the next join.
    void (wantsPause.value ? participant().pause() : participant().resume()).catch(() => {});
  });
}
