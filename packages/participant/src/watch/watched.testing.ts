import { type Binning, consentVersion, identityOf } from '@coppice/continuity';
import { CoppiceError, type Json, recipeHash, type WatchInfo } from '@coppice/protocol';
import type { TaskSource, WatchedTask } from './task-source.ts';

/* A watched task without a coordinator: one column, one number to predict. */

export const toy: WatchedTask = {
  id: 'toy',
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  },
  loss: 'meanSquaredError',
  heldOut: 0.1,
};
export const PERIOD = 86_400_000;
export const MINIMUM = 3;
export const RELEASED = 'a1'.repeat(32);

/** Bins with edges at these numbers, for the column and the prediction. */
export function binningOf(edge: number): Binning {
  return {
    version: 1,
    recipe: recipeHash(toy.data),
    columns: [{ kind: 'number', name: 'x', edges: [edge], range: null }],
    prediction: { kind: 'number', edges: [edge], errorScale: 1 },
    confidence: null,
  };
}

/** What the coordinator says of a watch. */
export function watchOf(
  binning: Binning,
  {
    periodMilliseconds = PERIOD,
    ...change
  }: Partial<Pick<WatchInfo, 'state' | 'release'>> & {
    periodMilliseconds?: number;
  } = {},
): WatchInfo {
  return {
    task: toy.id,
    state: 'reports',
    consent: consentVersion({ binning, periodMilliseconds, minimum: MINIMUM }),
    periodMilliseconds,
    minimum: MINIMUM,
    privacy: null,
    release: { sequence: 1, checkpoint: 'toy-1/1', hash: RELEASED },
    reference: { identity: identityOf(binning), binning: sent(binning) },
    ...change,
  };
}

/** A task source that says what it is told to; `down`: it cannot be reached. */
export function madeUpTasks(info: WatchInfo) {
  const source = {
    info,
    down: false,
    asked: { task: 0, watch: 0, model: 0 },
    async task() {
      source.reach('task');
      return toy;
    },
    async watch() {
      source.reach('watch');
      return source.info;
    },
    async model(_task: string, _hash: string) {
      source.reach('model');
      return { topology: { class_name: 'Sequential', config: {} }, weights: new Float32Array([1, 2]) };
    },
    reach(what: 'task' | 'watch' | 'model') {
      source.asked[what]++;
      if (source.down) throw new CoppiceError('connection-lost', 'No answer came.');
    },
  };
  return source satisfies TaskSource;
}

/** A binning as it comes over HTTP. */
export function sent(binning: Binning): Json {
  return JSON.parse(JSON.stringify(binning)) as Json;
}
