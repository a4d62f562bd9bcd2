/*
 * What this device's care comes to: from what the browser tells about the device, and what the person
 * wishes, whether to train and with how much of its time. Pure, so that every case can be a row of a table.
 */

/** What the browser tells about the device; `null` where it does not tell. */
export interface Readings {
  /** Whether the tab is out of sight. */
  readonly hidden: boolean;
  readonly battery: { readonly level: number; readonly charging: boolean } | null;
  readonly network: { readonly metered: boolean; readonly saveData: boolean } | null;
  /** Why the device is to be spared for a while. */
  readonly strain: StrainCause | null;
}

/** `slower`: batches take longer than they did at first. `pressure`: the browser says the processor is overloaded. */
export type StrainCause = 'slower' | 'pressure';

export interface CareSettings {
  readonly pauseHidden: boolean;
  readonly pauseLow: boolean;
  readonly onlyPlugged: boolean;
  readonly onlyUnmetered: boolean;
  readonly easeStrain: boolean;
  /** The most of the device's time that training takes, 0.1–1. */
  readonly share: number;
}

/** Why training is held back. */
export type CareReason = 'hidden' | 'battery' | 'unplugged' | 'data-saving' | 'metered';

export interface CareDecision {
  /** All that stands against training now, the one to be told first. */
  readonly reasons: readonly CareReason[];
  /** The reason for a pause; null: train. */
  readonly pause: CareReason | null;
  readonly share: number;
  /** Why the share is lower than the person set it. */
  readonly eased: StrainCause | null;
}

/** Below this charge, and not charging, the battery is low. */
const LOW_BATTERY = 0.2;
export const LOWEST_SHARE = 0.1;

/** @param allowed Reasons that the person has said to go on against. */
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
