import { consentVersion, defaultWatch, identityOf } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import { DriftVerdictSchema, type TaskAsk } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { NewEvent } from '../monitoring/new-event.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { MonitoredTasks } from './monitored-tasks.ts';
import { drawReference, drawReport, reportAnswer } from './report.testing.ts';
import type { TaskWatch } from './task-watch.ts';

const DAY = 24 * 3600 * 1000;
const EPOCH = 100 * DAY;
const reference = drawReference();
const devices = Array.from({ length: 30 }, (_, i) => `device ${i}`);
const claim = {
  consent: consentVersion({ binning: reference, periodMilliseconds: DAY, minimum: defaultWatch.minimum }),
  recipe: reference.recipe,
  reference: identityOf(reference),
};

/** A coordinator's watched tasks, over what an earlier process left. */
async function world(left = { storage: memoryStorage(), spool: memorySpool() }, at = EPOCH) {
  const clock = new ManualClock(at);
  const questions = new Map<string, TaskAsk>();
  const events: NewEvent[] = [];
  const monitored = new MonitoredTasks({
    ...left,
    clock,
    admissions: { refusal: () => null },
    events: { add: (event) => void events.push(event) },
    audience: {
      send: (participants, _name, message) => {
        for (const participant of participants) questions.set(participant, message as unknown as TaskAsk);
      },
    },
  });
  await monitored.watch({
    task: 'toy',
    reference,
    rule: defaultWatch,
    periodMilliseconds: DAY,
    epoch: EPOCH,
    secret: 'a secret of the task',
    failed: (error) => {
      throw error;
    },
  });
  const watch = monitored.get('toy') as TaskWatch;
  /** Sends the reports of a period. @param power see `drawReport`. */
  const report = async (some: readonly string[], period: number, power = 2) => {
    for (const device of some) {
      watch.comes(device, claim);
      const { ticket, period: asked } = questions.get(device) as TaskAsk;
      expect(asked).toBe(period);
      const numbers = drawReport(`${device} in ${period}`, { of: reference, power });
      expect(await watch.take(device, reportAnswer(numbers, reference, ticket))).toMatchObject({
        next: null,
      });
    }
  };
  /** Lets the period end. */
  const ends = async (period: number) => {
    clock.advance(DAY);
    await expect.poll(() => questions.get(devices[0] as string)?.period).toBe(period + 1);
  };
  const verdicts = async () => (await left.storage.periods('toy')).reverse().map(({ verdict }) => verdict);
  return { clock, events, monitored, report, ends, verdicts, left };
}

it('judges periods: quiet ones raise no alarm, and drifted ones do, by the column that drifted', async () => {
  const { monitored, events, report, ends, verdicts } = await world();
  for (const [period, power] of [2, 2, 2, 1, 1].entries()) {
    await report(devices, period, power);
    await ends(period);
  }
  const all = await verdicts();
  expect(all.map((verdict) => verdict?.drift.alarm)).toEqual([false, false, false, true, true]);
  expect(all.map((verdict) => verdict?.quality.alarm)).toEqual([false, false, false, false, false]);
  expect(all[3]?.drift.results[0]).toMatchObject({ role: 'input', name: 'width', alarm: true });
  expect(all[3]?.drift.results.filter(({ alarm }) => alarm)).toHaveLength(1);
  expect(all[3]).toMatchObject({ participants: 30, observations: 30 * 40 });
  expect(events.map(({ kind, data }) => [kind, data])).toMatchObject([
    ['drift-alarm', { task: 'toy', period: 3, participants: 30, alarms: 1, tested: 3, name: 'width' }],
    ['drift-alarm', { period: 4, name: 'width' }],
  ]);
  // As a database gives them back.
  for (const verdict of all)
    expect(DriftVerdictSchema.parse(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict);
  await monitored.stop();
});

it('tells nothing of a period with fewer reports than the rule says', async () => {
  const { monitored, report, ends, left } = await world();
  await report(devices.slice(0, defaultWatch.fewest - 1), 0, 1);
  await ends(0);
  expect(await left.storage.periods('toy')).toMatchObject([{ reports: 4, sums: null, verdict: null }]);
  await monitored.stop();
});

it('gives the same sums and the same verdict where the coordinator was killed in the middle of a period', async () => {
  const whole = await world();
  await whole.report(devices, 0, 1);
  await whole.ends(0);
  const first = await world();
  await first.report(devices.slice(0, 17), 0, 1);
  // Killed: nothing is stopped. The other process has another monotonic clock.
  const second = await world(first.left, EPOCH + DAY / 3);
  await second.report(devices.slice(17), 0, 1);
  // Already there, and asked for nothing more until the next period.
  second.monitored.get('toy')?.comes(devices[0] as string, claim);
  await second.ends(0);
  const [expected] = await whole.left.storage.periods('toy');
  const [found] = await second.left.storage.periods('toy');
  expect(found?.sums).toEqual(expected?.sums);
  expect(found?.verdict).toEqual(expected?.verdict);
  expect(found?.verdict?.drift.alarm).toBe(true);
  for (const { monitored } of [whole, second]) await monitored.stop();
});
