import { expect, it } from 'vitest';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { memoryStorage } from '../storage/memory.ts';
import { toyTask } from '../storage/new-run.testing.ts';
import { Tasks } from './tasks.ts';
import type { WeightsDesk } from './weights-desk.ts';

/** A registry with so many tasks beside those that are built in. */
async function tasks(own: number): Promise<Tasks> {
  const storage = memoryStorage();
  for (let n = 0; n < own; n++) await storage.addTask({ ...toyTask, id: `toy-${n}` });
  const made = new Tasks({ storage, models: {} as ModelWorker, desk: {} as WeightsDesk });
  await made.recover();
  return made;
}

it('names the tasks where one is asked for that there is not, as long as they are few', async () => {
  const few = await tasks(1);
  expect(() => few.get('toys')).toThrow(/iris.*toy-0/);
  const many = await tasks(5000);
  expect(many.get('toy-4999').id).toBe('toy-4999');
  expect(() => many.get('toys')).toThrow(expect.objectContaining({ code: 'task-unknown' }));
  expect(() => many.get('toys')).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{1,200}$/) }),
  );
});
