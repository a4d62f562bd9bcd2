import { computed } from '@preact/signals';
import { isBoolean, remembered } from '../link/remembered.ts';
import { type CareSettings, LOWEST_SHARE } from './policy.ts';

/** What the person wishes for this device, remembered in this browser. */
export const pauseHidden = remembered('pause-hidden', false, isBoolean);
export const pauseLow = remembered('pause-low', true, isBoolean);
export const onlyPlugged = remembered('only-plugged', false, isBoolean);
export const onlyUnmetered = remembered('only-unmetered', true, isBoolean);
export const easeStrain = remembered('ease-strain', true, isBoolean);
export const share = remembered('share', 1, isShare);

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= LOWEST_SHARE && value <= 1;
}

export const settings = computed<CareSettings>(() => ({
  pauseHidden: pauseHidden.value.value,
  pauseLow: pauseLow.value.value,
  onlyPlugged: onlyPlugged.value.value,
  onlyUnmetered: onlyUnmetered.value.value,
  easeStrain: easeStrain.value.value,
  share: share.value.value,
}));
