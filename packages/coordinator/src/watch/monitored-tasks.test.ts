import { consentVersion, defaultWatch } from '@coppice/continuity';
import { builtInTask } from '@coppice/datasets';
import { ManualClock } from '@coppice/ports';
import { DriftVerdictSchema, type Task, type TaskAsk, type WatchedPeriod } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { NewEvent } from '../monitoring/new-event.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { StoredPolicy } from '../storage/policy-storage.ts';
import { MonitoredTasks } from './monitored-tasks.ts';
import { agreedReference, drawReport, reportAnswer } from './report.testing.ts';
import { release, savePolicy, watching } from './watched.testing.ts';

const DAY = 24 * 3600 * 1000;
const EPOCH = 100 * DAY;
const iris = builtInTask('iris') as Task;
const reference = agreedReference(iris);
const devices = Array.from({ length: 30 }, (_, i) => `device ${i}`);
const policy = { ...watching, watch: defaultWatch };
const claim = {
  consent: consentVersion({ binning: reference, periodMilliseconds: DAY, minimum: defaultWatch.minimum }),
  recipe: reference.recipe,
};

/** What a process leaves: a task that is watched from the first period on. */
async function begun() {
  const left = { storage: memoryStorage(), spool: memorySpool() };
  await savePolicy(left.storage, 'iris', policy, EPOCH);
  await release(left.storage, iris, reference);
  return left;
}

/** A coordinator's watched tasks, over what an earlier process left. */
async function world(given?: Awaited<ReturnType<typeof begun>>, at = EPOCH) {
  const left = given ?? (await begun());
  const clock = new ManualClock(at);
  const questions = new Map<string, TaskAsk>();
  const events: NewEvent[] = [];
  const judged: WatchedPeriod[] = [];
  let saved: (policy: StoredPolicy) => void = () => {};
  const monitored = new MonitoredTasks({
    ...left,
    clock,
    tasks: { get: () => iris, all: () => [iris] },
    releases: { at: (task, channel) => left.storage.lastRelease(task, channel), subscribe: () => () => {} },
    policies: {
      subscribe: (listener) => {
        saved = listener;
        return () => {};
      },
    },
    trainingWindow: () => null,
    armOf: () => 'none',
    newSecret: () => 'a secret of the task',
    admissions: { refusal: () => null },
    events: { add: (event) => void events.push(event) },
    judged: async (period) => {
      // Stored before, and the next one is not open yet.
      expect(await left.storage.periods('iris', { limit: 1 })).toEqual([period]);
      for (const question of questions.values()) expect(question.period <= period.period).toBe(true);
      judged.push(period);
    },
    failed: (_task, error) => {
      throw error;
    },
    audience: {
      send: (participants, _name, message) => {
        for (const participant of participants) questions.set(participant, message as unknown as TaskAsk);
      },
    },
  });
  await monitored.recover();
  const comes = (device: string) => monitored.offers.comes('iris', device, claim);
  /** Sends the reports of a period. @param power see `drawReport`. */
  const report = async (some: readonly string[], period: number, power = 2) => {
    for (const device of some) {
      comes(device);
      const { ticket, period: asked } = questions.get(device) as TaskAsk;
      expect(asked).toBe(period);
      const numbers = drawReport(`${device} in ${period}`, { of: reference, power });
      const answer = reportAnswer(numbers, reference, ticket);
      expect(await monitored.answers.take('iris', device, answer)).toMatchObject({ next: null });
    }
  };
  /** Lets the period end. */
  const ends = async (period: number) => {
    clock.advance(DAY);
    await expect.poll(() => questions.get(devices[0] as string)?.period).toBe(period + 1);
  };
  const verdicts = async () => (await left.storage.periods('iris')).reverse().map(({ verdict }) => verdict);
  return { saved, clock, events, judged, monitored, comes, report, ends, verdicts, left };
}

it('judges periods: quiet ones raise no alarm, and drifted ones do, by the column that drifted', async () => {
  const { monitored, events, judged, report, ends, verdicts } = await world();
  for (const [period, power] of [2, 2, 2, 1, 1].entries()) {
    await report(devices, period, power);
    await ends(period);
  }
  const all = await verdicts();
  expect(all.map((verdict) => verdict?.drift.alarm)).toEqual([false, false, false, true, true]);
  expect(all.map((verdict) => verdict?.quality.alarm)).toEqual([false, false, false, false, false]);
  expect(all[3]?.drift.results[0]).toMatchObject({ role: 'input', name: 'sepal width', alarm: true });
  expect(all[3]?.drift.results.filter(({ alarm }) => alarm)).toHaveLength(1);
  expect(all[3]).toMatchObject({ participants: 30, observations: 30 * 40 });
  expect(events.map(({ kind, data }) => [kind, data])).toMatchObject([
    ['drift-alarm', { task: 'iris', period: 3, participants: 30, alarms: 1, name: 'sepal width' }],
    ['drift-alarm', { period: 4, name: 'sepal width' }],
  ]);
  expect(judged.map(({ verdict }) => verdict)).toEqual(all);
  // As a database gives them back.
  for (const verdict of all)
    expect(DriftVerdictSchema.parse(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict);
  await monitored.stop();
});

it('tells nothing of a period with fewer reports than the rule says', async () => {
  const { monitored, report, ends, left } = await world();
  await report(devices.slice(0, defaultWatch.fewest - 1), 0, 1);
  await ends(0);
  expect(await left.storage.periods('iris')).toMatchObject([{ reports: 4, sums: null, verdict: null }]);
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
  second.comes(devices[0] as string);
  await second.ends(0);
  const [expected] = await whole.left.storage.periods('iris');
  const [found] = await second.left.storage.periods('iris');
  expect(found?.sums).toEqual(expected?.sums);
  expect(found?.verdict).toEqual(expected?.verdict);
  expect(found?.verdict?.drift.alarm).toBe(true);
  for (const { monitored } of [whole, second]) await monitored.stop();
});

it('begins anew once for policies that are saved in a storm, and is told as it was until then', async () => {
  const { monitored, saved, left } = await world();
  let reads = 0;
  const { policy: read } = left.storage;
  left.storage.policy = (task) => {
    reads++;
    return read(task);
  };
  const told = new Set<string>();
  for (let i = 1; i <= 100; i++) {
    await savePolicy(left.storage, 'iris', { ...policy, watch: { ...defaultWatch, every: 100 + i } }, EPOCH);
    saved((await left.storage.policy('iris')) as StoredPolicy);
    told.add((await monitored.info('iris')).state);
  }
  expect([...told]).toEqual(['reports']);
  const version = (await left.storage.policy('iris')) as StoredPolicy;
  await monitored.recover();
  reads = 0;
  for (let i = 0; i < 100; i++) saved(version);
  await monitored.recover();
  expect(reads).toBeLessThan(5);
  await monitored.stop();
});
