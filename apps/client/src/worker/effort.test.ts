import { ManualClock } from '@coppice/ports';
import { expect, it } from 'vitest';
import type { Effort } from '../care/strain.ts';
import { workerPace } from './effort.ts';

it('tells the time an example takes, once a second of work, and never mixes two kinds of work', () => {
  let doing = 'run/webgl';
  const pace = workerPace(new ManualClock(), () => doing);
  const told: Effort[] = [];
  pace.listen((effort) => told.push(effort));
  pace.took?.(600, 60);
  expect(told).toEqual([]);
  pace.took?.(600, 20);
  expect(told).toEqual([{ of: 'run/webgl/whole', millisecondsPerExample: 15 }]);
  pace.took?.(900, 1);
  doing = 'run/wasm';
  pace.took?.(900, 1);
  pace.set(0.5);
  expect(pace.share()).toBe(0.5);
  pace.took?.(900, 1);
  expect(told).toHaveLength(1);
  pace.took?.(100, 1);
  expect(told.at(-1)).toEqual({ of: 'run/wasm/shared', millisecondsPerExample: 500 });
});
