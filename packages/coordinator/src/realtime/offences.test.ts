import { ManualClock } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { FORGIVEN_EVERY, MAX_OFFENCES, Offences } from './offences.ts';

describe('offences', () => {
  it('end a connection at the limit, not before', () => {
    const offences = new Offences(new ManualClock());
    const heard = Array.from({ length: MAX_OFFENCES }, () => offences.refused('frame-invalid'));
    expect(heard.indexOf(true)).toBe(MAX_OFFENCES - 1);
  });

  it('are forgiven with time', () => {
    const clock = new ManualClock();
    const offences = new Offences(clock);
    for (let n = 0; n < 10 * MAX_OFFENCES; n++) {
      expect(offences.refused('message-invalid')).toBe(false);
      clock.advance(FORGIVEN_EVERY);
    }
  });

  it('are not made by a clock that goes back', () => {
    const clock = new ManualClock(1_000_000);
    let now = 1_000_000;
    const offences = new Offences({ now: () => now, setTimer: clock.setTimer.bind(clock) });
    expect(offences.refused('message-invalid')).toBe(false);
    now = 0;
    expect(offences.refused('message-invalid')).toBe(false);
  });

  it('are never what honest participants are told', () => {
    const offences = new Offences(new ManualClock());
    for (let n = 0; n < 10 * MAX_OFFENCES; n++) {
      for (const code of [
        'update-late',
        'update-stale',
        'update-not-selected',
        'update-duplicate',
        'update-examples',
        'run-ended',
        'run-unknown',
        'storage-failed',
        'internal',
      ] as const)
        expect(offences.refused(code)).toBe(false);
    }
  });
});
