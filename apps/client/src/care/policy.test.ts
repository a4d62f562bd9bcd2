import { describe, expect, it } from 'vitest';
import { type CareReason, type CareSettings, deviceCare, type Readings } from './policy.ts';

const fine: Readings = {
  hidden: false,
  battery: { level: 0.9, charging: true },
  network: { metered: false, saveData: false },
  strain: null,
};
const silent: Readings = { hidden: false, battery: null, network: null, strain: null };
const everything: CareSettings = {
  pauseHidden: true,
  pauseLow: true,
  onlyPlugged: true,
  onlyUnmetered: true,
  easeStrain: true,
  share: 1,
};
const nothing: CareSettings = {
  pauseHidden: false,
  pauseLow: false,
  onlyPlugged: false,
  onlyUnmetered: false,
  easeStrain: false,
  share: 1,
};
const only = (wish: Partial<CareSettings>) => ({ ...nothing, ...wish });
const running = (level: number) => ({ ...fine, battery: { level, charging: false } });
const over = (network: Partial<{ metered: boolean; saveData: boolean }>) => ({
  ...fine,
  network: { metered: false, saveData: false, ...network },
});

describe('deviceCare', () => {
  it.each<[string, Readings, CareSettings, readonly CareReason[]]>([
    ['all is well', fine, everything, []],
    ['a browser that tells nothing', silent, everything, []],
    ['nothing is wished for', { ...running(0.01), hidden: true, strain: 'slower' }, nothing, []],
    ['hidden, and to pause then', { ...fine, hidden: true }, only({ pauseHidden: true }), ['hidden']],
    ['hidden, and to go on then', { ...fine, hidden: true }, only({ pauseLow: true }), []],
    ['low', running(0.19), only({ pauseLow: true }), ['battery']],
    ['at the limit', running(0.2), only({ pauseLow: true }), []],
    ['low, but charging', { ...fine, battery: { level: 0.05, charging: true } }, everything, []],
    ['full, but not plugged in', running(1), only({ onlyPlugged: true }), ['unplugged']],
    ['full, not plugged in, which is fine', running(1), only({ pauseLow: true }), []],
    ['low and not plugged in', running(0.1), everything, ['battery', 'unplugged']],
    ['mobile data', over({ metered: true }), only({ onlyUnmetered: true }), ['metered']],
    ['saving data', over({ saveData: true }), only({ onlyUnmetered: true }), ['data-saving']],
    [
      'both',
      over({ metered: true, saveData: true }),
      only({ onlyUnmetered: true }),
      ['data-saving', 'metered'],
    ],
    ['mobile data, which is fine', over({ metered: true, saveData: true }), nothing, []],
    ['strained', { ...fine, strain: 'pressure' }, everything, []],
  ])('%s', (_, readings, settings, reasons) => {
    const decision = deviceCare(readings, settings);
    expect(decision.reasons).toEqual(reasons);
    expect(decision.pause).toBe(reasons[0] ?? null);
  });

  it.each<[string, Readings, Partial<CareSettings>, number, 'slower' | 'pressure' | null]>([
    ['as set', fine, { share: 0.7 }, 0.7, null],
    ['half of it while strained', { ...fine, strain: 'slower' }, { share: 0.8 }, 0.4, 'slower'],
    ['half of all of it', { ...fine, strain: 'pressure' }, { share: 1 }, 0.5, 'pressure'],
    ['never less than the least', { ...fine, strain: 'slower' }, { share: 0.1 }, 0.1, 'slower'],
    [
      'as set, where strain is not to matter',
      { ...fine, strain: 'slower' },
      { share: 0.8, easeStrain: false },
      0.8,
      null,
    ],
  ])('share: %s', (_, readings, wish, share, eased) => {
    expect(deviceCare(readings, { ...everything, ...wish })).toMatchObject({ share, eased, pause: null });
  });

  it('goes on against what the person allowed, and pauses for what comes up besides', () => {
    const metered = over({ metered: true });
    expect(deviceCare(metered, everything, ['metered'])).toMatchObject({
      reasons: ['metered'],
      pause: null,
    });
    expect(
      deviceCare({ ...metered, battery: { level: 0.1, charging: false } }, everything, ['metered']),
    ).toMatchObject({ reasons: ['battery', 'unplugged', 'metered'], pause: 'battery' });
  });
});
