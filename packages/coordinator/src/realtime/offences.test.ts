import { ManualClock } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { FORGIVEN_EVERY, MAX_OFFENCES, MAX_REMEMBERED, Offences } from './offences.ts';

function fill(offences: Offences, participant: string): boolean[] {
  return Array.from({ length: MAX_OFFENCES }, () => offences.refused(participant, 'frame-invalid'));
}

describe('offences', () => {
  it('end a connection at the limit, not before', () => {
    expect(fill(new Offences(new ManualClock()), 'one').indexOf(true)).toBe(MAX_OFFENCES - 1);
  });

  it('end it at the same one however the time between them passes, as long as none is forgiven', () => {
    const clock = new ManualClock();
    const offences = new Offences(clock);
    const ended: boolean[] = [];
    for (let n = 0; n < MAX_OFFENCES; n++) {
      ended.push(offences.refused('one', 'frame-invalid'));
      clock.advance(FORGIVEN_EVERY / MAX_OFFENCES - 1);
    }
    expect(ended.indexOf(true)).toBe(MAX_OFFENCES - 1);
  });

  it('shut the door to who made them, and to nobody else, until one is forgiven', () => {
    const clock = new ManualClock();
    const offences = new Offences(clock);
    fill(offences, 'one');
    expect(offences.wait('another')).toBe(0);
    expect(offences.wait('one')).toBe(FORGIVEN_EVERY);
    clock.advance(FORGIVEN_EVERY - 1);
    expect(offences.wait('one')).toBe(1);
    clock.advance(1);
    expect(offences.wait('one')).toBe(0);
    // Its past is not forgotten: one more, and it waits again.
    expect(offences.refused('one', 'frame-invalid')).toBe(true);
    expect(offences.wait('one')).toBe(FORGIVEN_EVERY);
  });

  it('beyond the limit do not make the wait longer', () => {
    const offences = new Offences(new ManualClock());
    for (let n = 0; n < 9; n++) fill(offences, 'one');
    expect(offences.wait('one')).toBe(FORGIVEN_EVERY);
  });

  it('are forgiven with time', () => {
    const clock = new ManualClock();
    const offences = new Offences(clock);
    for (let n = 0; n < 10 * MAX_OFFENCES; n++) {
      expect(offences.refused('one', 'message-invalid')).toBe(false);
      clock.advance(FORGIVEN_EVERY);
    }
  });

  it.each([-86_400_000, 86_400_000])(
    'are neither made nor forgiven by a date that is set by %s ms',
    (milliseconds) => {
      const clock = new ManualClock(1_000_000_000);
      const offences = new Offences(clock);
      fill(offences, 'one');
      clock.jump(milliseconds);
      expect(offences.wait('one')).toBe(FORGIVEN_EVERY);
      expect(offences.refused('another', 'message-invalid')).toBe(false);
    },
  );

  it('are remembered of so many and no more, the last ones', () => {
    const offences = new Offences(new ManualClock());
    fill(offences, 'first');
    fill(offences, 'second');
    for (let n = 0; n < MAX_REMEMBERED - 1; n++) offences.refused(`more-${n}`, 'frame-invalid');
    expect(offences.wait('first')).toBe(0);
    expect(offences.wait('second')).toBe(FORGIVEN_EVERY);
  });

  it('are never what honest participants are told', () => {
    const offences = new Offences(new ManualClock());
    for (let n = 0; n < 10 * MAX_OFFENCES; n++) {
      for (const code of [
        'update-late',
        'update-stale',
        'update-not-selected',
        'not-joined',
        'update-duplicate',
        'update-examples',
        'run-ended',
        'run-unknown',
        'storage-failed',
        'internal',
      ] as const)
        expect(offences.refused('one', code)).toBe(false);
    }
  });
});
