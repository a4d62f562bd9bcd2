import { systemClock, systemRandom } from '@coppice/ports/system';
import type { Device } from './device.ts';
import { browserTabs, SharedDevice } from './tabs.ts';

/** Events of a person who uses a page, and the fewest milliseconds from one to the next that is told. */
const inputs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;
const ACTIVE_EVERY = 5_000;
const passive = { passive: true, capture: true } as const;

interface Open {
  readonly device: SharedDevice;
  users: number;
  readonly end: () => void;
}

/** Devices of this page by their coordinators: all its clients share one connection. */
const open = new Map<string, Open>();

/** Opens this browser's device at a coordinator, or shares the one that this page has open. It ends with its last user. */
export function openDevice(url: string): Device {
  const known = open.get(url) ?? begun(url);
  open.set(url, known);
  known.users++;
  const { device } = known;
  const stops: (() => void)[] = [];
  return {
    monitor: (...args) => device.monitor(...args),
    unmonitor: (...args) => device.unmonitor(...args),
    observe: (...args) => device.observe(...args),
    outcome: (...args) => device.outcome(...args),
    save: () => device.save(),
    add: (...args) => device.add(...args),
    takePart: (...args) => device.takePart(...args),
    leave: (...args) => device.leave(...args),
    active: () => device.active(),
    subscribe(heard) {
      const stop = device.subscribe(heard);
      stops.push(stop);
      return stop;
    },
    close() {
      for (const stop of stops) stop();
      known.users--;
      if (known.users > 0) return;
      open.delete(url);
      known.end();
    },
  };
}

function begun(url: string): Open {
  const device = new SharedDevice({
    // Pages that only predict load none of it.
    open: async () => (await import('./session-device.ts')).openSessionDevice(url),
    tabs: browserTabs(`coppice ${url}`),
    newId: () => `${systemRandom.uint32()}-${systemRandom.uint32()}`,
  });
  // A worker has no such moments: there, counts are written every few seconds.
  const save = () => void device.save();
  const page = globalThis.document as Document | undefined;
  globalThis.addEventListener('pagehide', save);
  let told = Number.NEGATIVE_INFINITY;
  const active = () => {
    if (systemClock.elapsed() - told < ACTIVE_EVERY) return;
    told = systemClock.elapsed();
    device.active();
  };
  for (const input of inputs) page?.addEventListener(input, active, passive);
  page?.addEventListener('visibilitychange', save);
  return {
    device,
    users: 0,
    end() {
      globalThis.removeEventListener('pagehide', save);
      for (const input of inputs) page?.removeEventListener(input, active, passive);
      page?.removeEventListener('visibilitychange', save);
      device.close();
    },
  };
}
