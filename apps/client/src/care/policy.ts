/*
 * The policy of the device care: from the browser's readings and the person's settings, it decides to train or to
 * pause, and the share of the device's time. Pure, so that every case can be a row of a table.
 */

/** The browser's readings of the device; `null` where it reports none. */
export interface Readings {
  /** True while the tab is hidden. */
  readonly hidden: boolean;
  readonly battery: { readonly level: number; readonly charging: boolean } | null;
  readonly network: { readonly metered: boolean; readonly saveData: boolean } | null;
  /** The reason to spare the device for a while; null: none. */
  readonly strain: StrainCause | null;
}

/** `slower`: batches take longer than at first. `pressure`: the browser reports an overloaded processor. */
export type StrainCause = 'slower' | 'pressure';

export interface CareSettings {
  readonly pauseHidden: boolean;
  readonly pauseLow: boolean;
  readonly onlyPlugged: boolean;
  readonly onlyUnmetered: boolean;
  readonly easeStrain: boolean;
  /** The largest share of the device's time for training, 0.1–1. */
  readonly share: number;
}

/** Reasons to hold training back. */
export type CareReason = 'hidden' | 'battery' | 'unplugged' | 'data-saving' | 'metered';

export interface CareDecision {
  /** All current reasons against training, the most important first. */
  readonly reasons: readonly CareReason[];
  /** The reason for a pause; null: train. */
  readonly pause: CareReason | null;
  readonly share: number;
  /** The reason for a lower share than the person's setting; null: none. */
  readonly eased: StrainCause | null;
}

/** Charge below which the battery is low, unless it is charging. */
const LOW_BATTERY = 0.2;
export const LOWEST_SHARE = 0.1;

/** @param allowed reasons that the person has overridden. */
export function deviceCare(
  readings: Readings,
  settings: CareSettings,
  allowed: readonly CareReason[] = [],
): CareDecision {
  const { battery, network } = readings;
  const onBattery = battery !== null && !battery.charging;
  const against: Record<CareReason, boolean> = {
    hidden: settings.pauseHidden && readings.hidden,
    battery: settings.pauseLow && onBattery && battery.level < LOW_BATTERY,
    unplugged: settings.onlyPlugged && onBattery,
    'data-saving': settings.onlyUnmetered && network?.saveData === true,
    metered: settings.onlyUnmetered && network?.metered === true,
  };
  const reasons = (Object.keys(against) as CareReason[]).filter((reason) => against[reason]);
  const eased = settings.easeStrain ? readings.strain : null;
  return {
    reasons,
    pause: reasons.find((reason) => !allowed.includes(reason)) ?? null,
    share: eased === null ? settings.share : Math.max(LOWEST_SHARE, settings.share / 2),
    eased,
  };
}
