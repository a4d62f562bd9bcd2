import { type RandomSource, uniform } from '@coppice/ports';
import { pickRows } from './examples.ts';
import type { OwnDataset } from './local-data.ts';

const DAY = 86_400_000;

/**
 * The examples that a plan with a window trains on: those added in its days before `now`, and each older one with the
 * probability `replayShare`. Examples whose time is not known are neither.
 *
 * @param options.days length of the window.
 * @param options.now milliseconds since 1970 by the coordinator's clock.
 */
export function withinWindow(
  data: OwnDataset,
  options: {
    readonly days: number;
    readonly replayShare: number;
    readonly now: number;
    readonly random: RandomSource;
  },
): OwnDataset {
  const since = options.now - options.days * DAY;
  const rows: number[] = [];
  for (const [row, time] of data.times.entries()) {
    if (time >= since || (time < since && uniform(options.random) < options.replayShare)) rows.push(row);
  }
  return pickRows(data, rows);
}
