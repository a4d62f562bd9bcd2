import { computed, effect, signal } from '@preact/signals';
import { participant } from '../link/participant.ts';
import { isBoolean, remembered } from '../link/remembered.ts';
import { session } from '../link/session.ts';
import { takingPart } from '../run/taking-part.ts';

/** Why the page itself holds training back. */
export type CareReason = 'hidden' | 'battery' | 'data-saving';

/** Below this charge, and not charging, the battery is low. */
const LOW_BATTERY = 0.2;

export const pauseHidden = remembered('pause-hidden', false, isBoolean);
export const pauseLow = remembered('pause-low', true, isBoolean);

/** What the device says; a browser that does not tell is taken to be fine. */
export const device = signal({ hidden: false, batteryLow: false, savingData: false });
/** Resumed by the person although there is a reason; until the reasons are gone. */
export const careOverridden = signal(false);

export function reasonsOf(
  now: { hidden: boolean; batteryLow: boolean; savingData: boolean },
  wishes: { hidden: boolean; low: boolean },
): readonly CareReason[] {
  const reasons: CareReason[] = [];
  if (wishes.hidden && now.hidden) reasons.push('hidden');
  if (wishes.low && now.batteryLow) reasons.push('battery');
  if (wishes.low && now.savingData) reasons.push('data-saving');
  return reasons;
}

export const careReasons = computed(() =>
  reasonsOf(device.value, { hidden: pauseHidden.value.value, low: pauseLow.value.value }),
);

export const wantsPause = computed(
  () => takingPart.value.value?.paused === true || (careReasons.value.length > 0 && !careOverridden.value),
);

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}
interface Connection extends EventTarget {
  readonly saveData?: boolean;
}
type Hints = Navigator & { getBattery?: () => Promise<Battery>; connection?: Connection };

/** Watches tab, battery and data saving, and keeps the worker paused exactly while it should be. */
export function watchDevice(): void {
  const set = (change: Partial<typeof device.value>) => {
    device.value = { ...device.value, ...change };
  };
  const hidden = () => set({ hidden: document.hidden });
  document.addEventListener('visibilitychange', hidden);
  hidden();

  const { connection, getBattery } = navigator as Hints;
  if (connection !== undefined) {
    const saving = () => set({ savingData: connection.saveData === true });
    connection.addEventListener?.('change', saving);
    saving();
  }
  getBattery?.call(navigator).then(
    (battery) => {
      const low = () => set({ batteryLow: !battery.charging && battery.level < LOW_BATTERY });
      battery.addEventListener('levelchange', low);
      battery.addEventListener('chargingchange', low);
      low();
    },
    () => {},
  );

  effect(() => {
    if (careReasons.value.length === 0) careOverridden.value = false;
  });
  const active = computed(() => session.joined.value !== null && session.activity.value.kind !== 'ended');
  effect(() => {
    if (!active.value) return;
    if (wantsPause.value === session.paused.value) return;
    // Told to the coordinator where there is one; a lost answer is said again at the next join.
    void (wantsPause.value ? participant().pause() : participant().resume()).catch(() => {});
  });
}
