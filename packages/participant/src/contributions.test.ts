import { CoppiceError, type ErrorCode, type Reply, type UpValue } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Contributions, type Question } from './contributions.ts';
import { memoryState } from './memory-state.ts';

const RUN = 'r-1';

function refusal(code: ErrorCode, more: { retryAfter?: number } = {}): Reply<UpValue<'counted'>> {
  return { ok: false, error: new CoppiceError(code, 'No.', more).toWire() };
}

/** Contributions with one staged answer, to a coordinator that gives these replies, the last one for ever. */
async function staged(...replies: Reply<UpValue<'counted'>>[]) {
  const asked: string[][] = [];
  const waits: number[] = [];
  const contributions = new Contributions(memoryState(), async (_, tickets) => {
    asked.push(tickets);
    return (replies.length > 1 ? replies.shift() : replies[0]) as Reply<UpValue<'counted'>>;
  });
  const question = (round: number): Question => ({
    run: RUN,
    ticket: `t${round}.seal`,
    round,
    attempt: 1,
    model: 'a'.repeat(64),
  });
  const stage = (round: number) =>
    contributions.stage(question(round), {
      answer: { weight: round, milliseconds: 1, frame: new Uint8Array(1), norm: 1 },
      kept: { strategy: { values: { round }, tensors: {} }, pipeline: {} },
    });
  await stage(1);
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const current = async () => (await contributions.current(RUN))?.strategy?.values['round'] ?? null;
  return { contributions, stage, asked, waits, wait, current };
}

const yes: Reply<UpValue<'counted'>> = { ok: true, value: { counted: [true] } };

it('asks again, as long as the coordinator says, until it is told whether an answer counted', async () => {
  const w = await staged(refusal('rate-limited', { retryAfter: 700 }), refusal('storage-failed'), yes);
  await w.contributions.settle(RUN, 'staged', w.wait);
  expect(w.asked).toHaveLength(3);
  expect(w.waits).toEqual([700, 2000]);
  expect(await w.current()).toBe(1);
});

it.each<[ErrorCode, number]>([
  ['storage-failed', 5],
  ['storage-corrupt', 1],
  ['not-joined', 1],
])(
  'never passes over the error %s: nothing is trained from a state that is not settled',
  async (code, times) => {
    const w = await staged(refusal(code));
    await expect(w.contributions.settle(RUN, 'staged', w.wait)).rejects.toMatchObject({ code });
    expect(w.asked).toHaveLength(times);
    // Without a way to wait it is asked once.
    await expect(w.contributions.settle(RUN, 'staged')).rejects.toMatchObject({ code });
    expect(w.asked).toHaveLength(times + 1);
  },
);

it('stops where the wait does', async () => {
  const w = await staged(refusal('storage-failed'));
  const wait = () => Promise.reject(new CoppiceError('connection-lost', 'Gone.'));
  await expect(w.contributions.settle(RUN, 'staged', wait)).rejects.toMatchObject({
    code: 'connection-lost',
  });
  expect(w.asked).toHaveLength(1);
});

it('asks for those that counted, too, until that is known of all after a lost connection', async () => {
  const w = await staged(yes, refusal('storage-failed'), { ok: true, value: { counted: [false, true] } });
  await w.contributions.settle(RUN, 'staged');
  await w.stage(2);
  await expect(w.contributions.settle(RUN, 'all')).rejects.toMatchObject({ code: 'storage-failed' });
  await w.contributions.settle(RUN, 'staged');
  expect(w.asked.slice(1)).toEqual([
    ['t1.seal', 't2.seal'],
    ['t1.seal', 't2.seal'],
  ]);
  // The coordinator lost the first round, and has the second.
  expect(await w.current()).toBe(2);
  await w.contributions.settle(RUN, 'staged');
  await w.stage(3);
  await w.contributions.settle(RUN, 'staged');
  expect(w.asked.at(-1)).toEqual(expect.arrayContaining(['t3.seal']));
  expect(w.asked.at(-1)).not.toContain('t2.seal');
});
