import { computed } from '@preact/signals';
import { isBoolean, remembered } from '../link/remembered.ts';
import { type CareSettings, LOWEST_SHARE } from './policy.ts';

/** The person's settings for this device, stored in this browser. */
export const pauseHidden = remembered('pause-hidden', false, isBoolean);
export const pauseLow = remembered('pause-low', true, isBoolean);
export const onlyPlugged = remembered('only-plugged', false, isBoolean);
export const onlyUnmetered = remembered('only-unmetered', true, isBoolean);
export const easeStrain = remembered('ease-strain', true, isBoolean);
export const share = remembered('share', 1, isShare);

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= LOWEST_SHARE && value <= 1;
}

/** Choices of the training backend; `fastest` measures, on joining, which one is for the model. */
export const backendChoices = ['fastest', 'planned', 'webgpu', 'webgl', 'wasm', 'cpu'] as const;
export type BackendChoice = (typeof backendChoices)[number];
export const backendChoice = remembered<BackendChoice>('backend', 'fastest', isBackendChoice);

export function isBackendChoice(value: unknown): value is BackendChoice {
  return backendChoices.includes(value as BackendChoice);
}

export const settings = computed<CareSettings>(() => ({
  pauseHidden: pauseHidden.value.value,
  pauseLow: pauseLow.value.value,
  onlyPlugged: onlyPlugged.value.value,
  onlyUnmetered: onlyUnmetered.value.value,
  easeStrain: easeStrain.value.value,
  share: share.value.value,
}));
