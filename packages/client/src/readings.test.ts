import { ManualClock } from '@coppice/ports';
import { expect, it } from 'vitest';
import { deviceReadings, type Hints } from './readings.ts';

const MINUTE = 60_000;

function start(hints: Hints = {}) {
  const clock = new ManualClock();
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' as DocumentVisibilityState });
  const readings = deviceReadings({ clock, page: page as unknown as Document, hints });
  let changes = 0;
  readings.subscribe(() => changes++);
  return {
    clock,
    readings,
    changes: () => changes,
    show(state: DocumentVisibilityState) {
      page.visibilityState = state;
      page.dispatchEvent(new Event('visibilitychange'));
    },
  };
}

const device = (fields: object) => Object.assign(new EventTarget(), fields) as never;

it('is idle two minutes after the last input, and tells of both changes', () => {
  const { clock, readings, changes } = start();
  expect(readings.now.idle).toBe(false);
  clock.advance(MINUTE);
  readings.active();
  clock.advance(2 * MINUTE - 1);
  expect([readings.now.idle, changes()]).toEqual([false, 0]);
  clock.advance(1);
  expect([readings.now.idle, changes()]).toEqual([true, 1]);
  readings.active();
  expect([readings.now.idle, changes()]).toEqual([false, 2]);
});

it('is idle while the page is hidden, but for inputs in other tabs', () => {
  const { clock, readings, show } = start();
  show('hidden');
  expect(readings.now.idle).toBe(true);
  readings.active();
  expect(readings.now.idle).toBe(false);
  clock.advance(2 * MINUTE);
  expect(readings.now.idle).toBe(true);
  show('visible');
  expect(readings.now.idle).toBe(false);
});

it('does not know in a worker whether anybody uses the device', () => {
  const readings = deviceReadings({ clock: new ManualClock(), page: null, hints: {} });
  expect(readings.now).toEqual({ idle: null, charging: null, unmetered: null });
});

it('charges as the battery says, and as it changes', async () => {
  const battery = device({ charging: false }) as EventTarget & { charging: boolean };
  const { readings, changes } = start({ getBattery: async () => battery });
  expect(readings.now.charging).toBeNull();
  await expect.poll(() => readings.now.charging, { interval: 1 }).toBe(false);
  battery.charging = true;
  battery.dispatchEvent(new Event('chargingchange'));
  expect([readings.now.charging, changes()]).toEqual([true, 2]);
  readings.close();
  battery.charging = false;
  battery.dispatchEvent(new Event('chargingchange'));
  expect(readings.now.charging).toBe(true);
});

it('does not know of a battery that the browser keeps for itself', async () => {
  const { readings } = start({ getBattery: () => Promise.reject(new Error('not here')) });
  await Promise.resolve();
  expect(readings.now.charging).toBeNull();
});

it.each([
  ['wifi', false, true],
  ['ethernet', false, true],
  ['wifi', true, false],
  ['cellular', false, false],
  ['other', false, null],
  [undefined, false, null],
  [undefined, true, false],
])('on a network of type %s, saving data: %s, is unmetered: %s', (type, saveData, unmetered) => {
  const connection = device({ ...(type === undefined ? {} : { type }), saveData });
  const { readings, changes } = start({ connection });
  expect(readings.now.unmetered).toBe(unmetered);
  (connection as EventTarget).dispatchEvent(new Event('change'));
  expect(changes()).toBe(1);
});
