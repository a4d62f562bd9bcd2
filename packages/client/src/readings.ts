import type { Clock } from '@coppice/ports';

/** Milliseconds without an input after which a page is idle. */
const IDLE_AFTER = 120_000;

/** What a browser tells of its device; null: it does not tell. */
export interface Readings {
  /** Whether the page is hidden, or had no input for two minutes. */
  readonly idle: boolean | null;
  readonly charging: boolean | null;
  /** Whether the connection costs nothing by volume, and the person does not save data. */
  readonly unmetered: boolean | null;
}

export interface DeviceReadings {
  readonly now: Readings;
  /** Calls back with each change. Returns the end. */
  subscribe(changed: () => void): () => void;
  /** Takes an input of the person, in this page or another one of its origin. */
  active(): void;
  close(): void;
}

interface Battery extends EventTarget {
  readonly charging: boolean;
}

interface Connection extends EventTarget {
  /** The kind of network; browsers on computers leave it out. */
  readonly type?: string;
  readonly saveData?: boolean;
}

/** The parts of a browser that tell of its device, as far as there are any. */
export interface Hints {
  readonly getBattery?: () => Promise<Battery>;
  readonly connection?: Connection;
}

type Page = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

/** @param from.page null in a worker: it cannot be known there whether the device is idle. */
export function deviceReadings(from: {
  readonly clock: Clock;
  readonly page: Page | null;
  readonly hints: Hints;
}): DeviceReadings {
  const { clock, page, hints } = from;
  const heard = new Set<() => void>();
  const ends: (() => void)[] = [];
  let isClosed = false;
  let charging: boolean | null = null;
  /** When the last input came; of a hidden page, inputs of others alone count. */
  let input = clock.elapsed();
  let cancel = () => {};

  const isIdle = () => clock.elapsed() - input >= IDLE_AFTER;
  const changed = () => {
    for (const one of [...heard]) one();
  };
  const wait = () => {
    cancel();
    cancel = clock.setTimer(IDLE_AFTER, changed);
  };
  const listen = (target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>, event: string) => {
    const told = () => changed();
    target.addEventListener(event, told);
    ends.push(() => target.removeEventListener(event, told));
  };

  if (page !== null) {
    const shown = () => {
      input = page.visibilityState === 'hidden' ? clock.elapsed() - IDLE_AFTER : clock.elapsed();
      wait();
      changed();
    };
    page.addEventListener('visibilitychange', shown);
    ends.push(() => page.removeEventListener('visibilitychange', shown));
    shown();
  }
  if (hints.connection?.addEventListener !== undefined) listen(hints.connection, 'change');
  hints.getBattery?.().then(
    (battery) => {
      if (isClosed) return;
      const told = () => {
        charging = battery.charging;
        changed();
      };
      battery.addEventListener('chargingchange', told);
      ends.push(() => battery.removeEventListener('chargingchange', told));
      told();
    },
    // Forbidden here: the same as where there is none.
    () => {},
  );

  return {
    get now() {
      return { idle: page === null ? null : isIdle(), charging, unmetered: unmetered(hints.connection) };
    },
    subscribe(listener) {
      heard.add(listener);
      return () => void heard.delete(listener);
    },
    active() {
      const before = isIdle();
      input = clock.elapsed();
      wait();
      if (before) changed();
    },
    close() {
      isClosed = true;
      cancel();
      for (const end of ends.splice(0)) end();
      heard.clear();
    },
  };
}

const costly: ReadonlySet<string> = new Set(['cellular', 'bluetooth', 'wimax']);
const free: ReadonlySet<string> = new Set(['wifi', 'ethernet']);

function unmetered(connection: Connection | undefined): boolean | null {
  const type = connection?.type ?? '';
  if (connection?.saveData === true || costly.has(type)) return false;
  return free.has(type) ? true : null;
}
