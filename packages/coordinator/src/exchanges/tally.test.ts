import { ExactSum } from '@coppice/federation';
import { defaultPlan } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { runForms } from '../rounds/run-forms.ts';
import { layout, task, trainFrame } from '../rounds/run-world.ts';
import { Tally } from './tally.ts';

/** A tally of answers of three numbers. */
function world() {
  const { train: form, layouts } = runForms(layout, task, defaultPlan);
  const sum = new ExactSum(form.sections);
  const tally = new Tally({ form, sum, limits: new Map(), weightCap: () => 1000 });
  const answer = {
    run: 'toy-1',
    ticket: 't',
    weight: 2,
    milliseconds: 1,
    frame: trainFrame(layouts.train, [Float32Array.of(1, 2, 3)], { weight: 2 }),
  };
  const add = () =>
    tally.addInTurns(
      'a',
      answer,
      () => true,
      () => {},
    );
  return { tally, sum, add };
}

it('fails the reading alone where the sum cannot be read: answers that wait for it are added', async () => {
  const { tally, sum, add } = world();
  const { partial } = sum;
  sum.partial = () => {
    throw new RangeError('no memory');
  };
  const unhandled: unknown[] = [];
  const hear = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const read = tally.partial();
    const added = add();
    await expect(read).rejects.toThrow(RangeError);
    expect(await added).toBe(true);
    await expect(tally.partial()).rejects.toThrow(RangeError);
    await new Promise(setImmediate);
  } finally {
    process.off('unhandledRejection', hear);
  }
  expect(unhandled).toEqual([]);
  sum.partial = partial;
  expect((await tally.partial())?.count).toBe(1);
});
