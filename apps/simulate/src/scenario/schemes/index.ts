import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';
import { fixed } from './fixed.ts';
import { loop } from './loop.ts';
import { never } from './never.ts';
import type { Scheme } from './scheme.ts';

export const schemeNames = ['loop', 'never', 'fixed'] as const;
export type SchemeName = (typeof schemeNames)[number];

/** The ways in which a scenario is played. */
export const schemes: Readonly<Record<SchemeName, (world: World, scenario: Scenario) => Scheme>> = {
  loop,
  never,
  fixed,
};
