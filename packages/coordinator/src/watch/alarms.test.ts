import type { QualityVerdict, Verdict } from '@coppice/continuity';
import { expect, it } from 'vitest';
import { alarmsOf } from './alarms.ts';

const quality = (name: string, alarm: boolean): QualityVerdict => ({
  name,
  fault: 'missing',
  effect: 0.4,
  interval: [0.3, 0.5],
  p: 0.001,
  effective: 100,
  bound: 0.1,
  alarm,
  reference: 0.01,
  current: 0.25,
  participants: 30,
});
const verdict = (results: QualityVerdict[]): Verdict => ({
  participants: 30,
  observations: 1200,
  drift: { alarm: false, tested: 3, suppressed: 0, results: [] },
  quality: { alarm: results.some(({ alarm }) => alarm), tested: 4, suppressed: 0, results },
  errors: null,
});

it('tells of bad values once a period, with the worst column', () => {
  const found = alarmsOf('toy', 5, verdict([quality('b', true), quality('a', true), quality('c', false)]));
  expect(found).toEqual([
    {
      run: null,
      round: null,
      level: 'warning',
      kind: 'data-quality-alarm',
      data: {
        task: 'toy',
        period: 5,
        participants: 30,
        alarms: 2,
        tested: 4,
        name: 'b',
        fault: 'missing',
        reference: 0.01,
        current: 0.25,
      },
    },
  ]);
  expect(alarmsOf('toy', 5, verdict([quality('a', false)]))).toEqual([]);
});
