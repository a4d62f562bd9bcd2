import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OwnDataset } from './local-data.ts';
import { newMarks } from './marks.ts';
import { withinWindow } from './window.ts';

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;

/** Examples with these times, labelled by their places. */
function dated(times: readonly number[]): OwnDataset {
  const { ids } = newMarks(times.length, { random: seededRandom('dated'), now: () => null });
  return {
    count: times.length,
    xs: Uint8Array.from(times, (_, i) => i),
    ys: Float32Array.from(times, (_, i) => i),
    ids,
    times: Float64Array.from(times),
  };
}

const chosen = (data: OwnDataset, days: number, replayShare = 0, seed = 1) =>
  withinWindow(data, { days, replayShare, now: NOW, random: seededRandom(seed) });

describe('a window', () => {
  it('has the examples of its days, those of a clock that is ahead too, and none of unknown time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: -20 * 24, max: 24 }), { nil: Number.NaN })),
        fc.integer({ min: 1, max: 15 }),
        (hours, days) => {
          const data = dated(hours.map((hour) => NOW + hour * HOUR));
          const { ys, xs, ids, times, count } = chosen(data, days);
          const wanted = hours.flatMap((hour, i) => (hour >= -24 * days ? [i] : []));
          expect([count, [...ys], [...xs]]).toEqual([wanted.length, wanted, wanted]);
          expect([...times]).toEqual(wanted.map((i) => data.times[i]));
          expect([...ids]).toEqual(wanted.flatMap((i) => [...data.ids.slice(16 * i, 16 * i + 16)]));
        },
      ),
    );
  });

  it('takes a share of the older examples with it, by the seed', () => {
    const times = Array.from({ length: 3000 }, (_, i) =>
      i % 3 === 0 ? NOW : i % 3 === 1 ? NOW - 100 * 24 * HOUR : Number.NaN,
    );
    const data = dated(times);
    const kinds = (part: OwnDataset) =>
      [0, 1, 2].map((kind) => [...part.ys].filter((i) => i % 3 === kind).length);
    const [recent, older, unknown] = kinds(chosen(data, 7, 0.3));
    expect([recent, unknown]).toEqual([1000, 0]);
    // Five standard deviations of a binomial.
    expect(Math.abs((older as number) - 300)).toBeLessThan(5 * Math.sqrt(1000 * 0.3 * 0.7));
    expect(chosen(data, 7, 0.3)).toEqual(chosen(data, 7, 0.3));
    expect(chosen(data, 7, 0.3, 2).ys).not.toEqual(chosen(data, 7, 0.3).ys);
    expect(kinds(chosen(data, 7, 1))).toEqual([1000, 1000, 0]);
    expect(kinds(chosen(data, 7, 0))).toEqual([1000, 0, 0]);
  });
});
