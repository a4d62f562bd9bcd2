import { signal } from '@preact/signals';
import type { Readings } from './policy.ts';

/*
 * The browser's readings of the device. Battery, network and pressure exist in Chromium only, so each is a hint:
 * without a reading the device is taken to be fine.
 */
export const readings = signal<Omit<Readings, 'strain'>>({ hidden: false, battery: null, network: null });
/** True while the browser reports an overloaded processor. */
export const overloaded = signal(false);

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}
interface Connection extends EventTarget {
  readonly saveData?: boolean;
  /** Reported on phones only. */
  readonly type?: string;
}
type Hints = Navigator & { getBattery?: () => Promise<Battery>; connection?: Connection };
interface PressureObserverLike {
  observe(source: 'cpu', options: { sampleInterval: number }): Promise<void>;
}
type PressureWorld = typeof globalThis & {
  PressureObserver?: new (
    changed: (records: readonly { readonly state: string }[]) => void,
  ) => PressureObserverLike;
};

const PRESSURE_INTERVAL = 5000;

/** Keeps `readings` up to date. */
export function watchReadings(): void {
  const set = (change: Partial<typeof readings.value>) => {
    readings.value = { ...readings.peek(), ...change };
  };
  const hidden = () => set({ hidden: document.hidden });
  document.addEventListener('visibilitychange', hidden);
  hidden();

  const { connection, getBattery } = navigator as Hints;
  if (connection !== undefined) {
    const changed = () =>
      set({
        network: { metered: connection.type === 'cellular', saveData: connection.saveData === true },
      });
    connection.addEventListener?.('change', changed);
    changed();
  }
  getBattery?.call(navigator).then(
    (battery) => {
      const changed = () => set({ battery: { level: battery.level, charging: battery.charging } });
      battery.addEventListener('levelchange', changed);
      battery.addEventListener('chargingchange', changed);
      changed();
    },
    () => {},
  );
  const { PressureObserver } = globalThis as PressureWorld;
  if (PressureObserver !== undefined) {
    new PressureObserver((records) => {
      overloaded.value = records.at(-1)?.state === 'critical';
    })
      .observe('cpu', { sampleInterval: PRESSURE_INTERVAL })
      // Forbidden, or not to be had on this machine.
      .catch(() => {});
  }
}
