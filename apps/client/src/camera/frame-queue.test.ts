import { describe, expect, it } from 'vitest';
import { frameQueue } from './frame-queue.ts';

/** A storage that keeps when it is told to. */
function slow() {
  const asked: { label: number; names: string[] }[] = [];
  const answers: ((kept: boolean) => void)[] = [];
  const closed: string[] = [];
  let waiting: ReadonlyMap<number, number> = new Map();
  const frame = (name: string) => ({ name, close: () => closed.push(name) });
  const queue = frameQueue<ReturnType<typeof frame>>({
    keep: (frames, label) => {
      asked.push({ label, names: frames.map(({ name }) => name) });
      return new Promise((resolve) => answers.push(resolve));
    },
    waiting: (counts) => {
      waiting = counts;
    },
  });
  const answer = async (kept: boolean) => {
    answers.shift()?.(kept);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { queue, frame, asked, closed, answer, waiting: () => Object.fromEntries(waiting) };
}

describe('frameQueue', () => {
  it('keeps what came meanwhile together, class by class, in order', async () => {
    const { queue, frame, asked, answer, waiting } = slow();
    for (const [name, label] of [
      ['a', 0],
      ['b', 0],
      ['c', 0],
      ['d', 1],
      ['e', 0],
    ] as const)
      queue.push(frame(name), label);
    expect(waiting()).toEqual({ 0: 4, 1: 1 });
    for (let i = 0; i < 4; i++) await answer(true);
    expect(asked).toEqual([
      { label: 0, names: ['a'] },
      { label: 0, names: ['b', 'c'] },
      { label: 1, names: ['d'] },
      { label: 0, names: ['e'] },
    ]);
    expect(waiting()).toEqual({});
  });

  it('drops frames, and frees them, where too many wait', () => {
    const { queue, frame, closed, waiting } = slow();
    const taken = Array.from({ length: 40 }, (_, i) => queue.push(frame(String(i)), 0));
    const dropped = taken.flatMap((kept, i) => (kept ? [] : [String(i)]));
    expect(dropped.length).toBeGreaterThan(0);
    expect(closed).toEqual(dropped);
    expect(waiting()).toEqual({ 0: 40 - dropped.length });
  });

  it('gives up what waits when nothing can be kept, and goes on with the next frame', async () => {
    const { queue, frame, asked, closed, answer, waiting } = slow();
    for (const name of ['a', 'b', 'c']) queue.push(frame(name), 0);
    await answer(false);
    expect(closed).toEqual(['b', 'c']);
    expect(waiting()).toEqual({});
    queue.push(frame('d'), 0);
    expect(asked.at(-1)?.names).toEqual(['d']);
  });
});
