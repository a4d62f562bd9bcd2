import { language } from '@coppice/ui';
import { afterEach, describe, expect, it } from 'vitest';
import { eventOf, roundOf } from '../live/fixtures.ts';
import { eventText } from './event-text.ts';

afterEach(() => {
  language.value = 'en';
});

describe('eventText', () => {
  const committed = eventOf({ kind: 'round-committed', round: 2, at: 900, message: 'Round 2 committed · …' });
  const central = { loss: 0.1, accuracy: 0.875, examples: 8 };
  const rounds = [
    roundOf({ round: 1 }),
    roundOf({ round: 2, asked: 5, accepted: 4, bytesUp: 2_300_000, central }),
  ];

  it('is what the coordinator wrote, in English', () => {
    expect(eventText(committed, rounds)).toBe('Round 2 committed · …');
  });

  it('says the same from the record of the round, in Chinese', () => {
    language.value = 'zh';
    expect(eventText(committed, rounds)).toBe('第 2 轮已提交 · 邀请 5，交回 4 · 2.3 MB · 准确率 87.5%');
  });

  it('stays as it was written where the record is not known or the event is unusual', () => {
    language.value = 'zh';
    expect(eventText(committed, [])).toBe(committed.message);
    expect(eventText(eventOf({ kind: 'something-new', message: 'Something new.' }), rounds)).toBe(
      'Something new.',
    );
  });
});
