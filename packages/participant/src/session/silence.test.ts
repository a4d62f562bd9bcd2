import { ManualClock } from '@coppice/ports';
import { ANSWER_TIMEOUT } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Silence } from './silence.ts';

it('lasts between one and two times the wait for an answer, by the participant', () => {
  for (const [participant, share] of [
    [null, 0],
    ['0'.repeat(32), 0],
    ['8'.padEnd(32, '0'), 0.5],
  ] as const) {
    const clock = new ManualClock();
    let lasted = 0;
    new Silence(clock).wait(participant, () => lasted++);
    clock.advance(ANSWER_TIMEOUT * (1 + share) - 1);
    expect(lasted).toBe(0);
    clock.advance(1);
    expect(lasted).toBe(1);
    clock.advance(10 * ANSWER_TIMEOUT);
    expect(lasted).toBe(1);
  }
});

it('begins anew with each word, and ends with the part in the run', () => {
  const clock = new ManualClock();
  let lasted = 0;
  const silence = new Silence(clock);
  silence.wait(null, () => lasted++);
  clock.advance(ANSWER_TIMEOUT - 1);
  silence.wait(null, () => lasted++);
  clock.advance(ANSWER_TIMEOUT - 1);
  silence.stop();
  clock.advance(ANSWER_TIMEOUT);
  expect(lasted).toBe(0);
});
