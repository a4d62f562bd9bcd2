import { language } from '@coppice/ui';
import { describe, expect, it } from 'vitest';
import { eventOf } from '../live/fixtures.ts';
import { countByReason, detailOf, reasonOf } from './refusals.ts';

const refused = eventOf({
  kind: 'update-refused',
  message: 'An update for round 3 was refused (update-not-finite): It holds NaN.',
  data: { code: 'update-not-finite', detail: 'It holds NaN.' },
});
const declined = eventOf({ kind: 'update-declined', data: { code: 'training-diverged' } });

describe('reasonOf', () => {
  it('is the code in the data', () => {
    expect(reasonOf(refused)).toBe('update-not-finite');
    expect(reasonOf(declined)).toBe('training-diverged');
  });

  it('falls back to the kind, and leaves other events alone', () => {
    expect(reasonOf({ ...refused, data: null })).toBe('update-refused');
    const data = { code: 'quorum-lost', detail: '' };
    expect(reasonOf(eventOf({ kind: 'round-abandoned', data }))).toBeNull();
  });
});

describe('detailOf', () => {
  it('is what the coordinator said of the update, and Chinese on a Chinese page', () => {
    expect(detailOf(refused)).toBe('It holds NaN.');
    language.value = 'zh';
    expect(detailOf(refused)).toBe('更新含有无效数值（NaN 或无穷大）。');
    expect(detailOf(declined)).toBe('训练发散：出现了无效或过大的数值。');
    language.value = 'en';
  });

  it('is the whole message where the data is not known', () => {
    expect(detailOf({ ...refused, data: null })).toBe(refused.message);
  });
});

describe('countByReason', () => {
  it('puts the most frequent first', () => {
    const event = eventOf();
    const troubles = ['b', 'a', 'c', 'a', 'c'].map((reason) => ({ event, reason }));
    expect(countByReason(troubles)).toEqual([
      { reason: 'a', count: 2 },
      { reason: 'c', count: 2 },
      { reason: 'b', count: 1 },
    ]);
  });

  it('counts a row for as many events as it stands for', () => {
    const rows = [eventOf(), eventOf({ data: { participant: '0'.repeat(32), count: 41 } })];
    expect(countByReason(rows.map((event) => ({ event, reason: 'update-late' })))).toEqual([
      { reason: 'update-late', count: 42 },
    ]);
  });
});
