import { type Event, eventKinds } from '@coppice/protocol';
import { sampleEvents } from '@coppice/protocol/testing';
import { language } from '@coppice/ui';
import { afterEach, describe, expect, it } from 'vitest';
import { eventOf } from '../live/fixtures.ts';
import { eventText } from './event-text.ts';

afterEach(() => {
  language.value = 'en';
});

const every = eventKinds.flatMap((kind) =>
  sampleEvents[kind].map((data) =>
    eventOf({ kind, round: 3, message: 'What the coordinator wrote.', data: { ...data } as Event['data'] }),
  ),
);

describe('eventText', () => {
  it.each(every.map((event) => [event.kind, event] as const))('says %s in both languages', (_, event) => {
    const english = eventText(event);
    expect(english).toMatch(/^[A-Z].*\S/);
    expect(english).not.toMatch(/[\u4e00-\u9fff]|undefined|null|NaN|\[object/);
    expect(english).not.toBe(event.message);
    language.value = 'zh';
    const chinese = eventText(event);
    expect(chinese).toMatch(/[\u4e00-\u9fff]/);
    // Two words of English one after the other.
    expect(chinese).not.toMatch(/[A-Za-z]{2,} [A-Za-z]{2,}|undefined|null|NaN|\[object/);
  });

  it('says how many events a row stands for', () => {
    const data = { code: 'data-empty', participant: '0'.repeat(32), count: 1041 };
    const rows = eventOf({ kind: 'update-declined', data });
    expect(eventText(rows)).toBe('1,041 more: A participant could not train (data-empty).');
    language.value = 'zh';
    expect(eventText(rows)).toBe('另有 1,041 次：一位参与者无法训练：设备上没有可用的样本。');
  });

  it('has the facts of a failure', () => {
    const facts = { accepted: 1, quorum: 3, deadline: true };
    const event = eventOf({
      kind: 'round-abandoned',
      round: 2,
      data: { code: 'quorum-lost', detail: '', facts },
    });
    expect(eventText(event)).toBe(
      'Round 2 was abandoned: 1 of 3 required updates arrived in time. The model is unchanged.',
    );
    language.value = 'zh';
    expect(eventText(event)).toBe('第 2 轮已放弃：截止前只收到 1 份更新，至少需要 3 份。模型保持不变。');
  });

  it('is what the coordinator wrote where the kind or its data is not known; in Chinese it says why', () => {
    const message = 'What was written.';
    const newer = eventOf({ kind: 'something-new', message });
    const older = eventOf({ kind: 'round-started', message, data: null });
    expect([eventText(newer), eventText(older)]).toEqual([message, message]);
    language.value = 'zh';
    expect(eventText(newer)).toBe(`其他版本的记录，仅有英文原文：${message}`);
    expect(eventText(older)).toBe(`旧版本的记录，仅存英文原文：${message}`);
  });

  it('says nothing of bytes that are not known any more', () => {
    const data = { accepted: 3, asked: 4, bytes: null, accuracy: 0.912 };
    const event = eventOf({ kind: 'round-committed', round: 7, data });
    expect(eventText(event)).toBe('Round 7 committed · 3 of 4 updates · accuracy 91.2%');
    language.value = 'zh';
    expect(eventText(event)).toBe('第 7 轮已提交 · 邀请 4 位，收到 3 份更新 · 准确率 91.2%');
  });
});
