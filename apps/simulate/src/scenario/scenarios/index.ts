import type { Scenario } from '../scenario.ts';
import { abrupt } from './abrupt.ts';
import { badRelease } from './bad-release.ts';
import { brokenSensor } from './broken-sensor.ts';
import { clickThrough } from './click-through.ts';
import { quiet } from './quiet.ts';

/** All scenarios, in the order of display. */
export const scenarios: readonly Scenario[] = [abrupt, quiet, badRelease, brokenSensor, clickThrough];
