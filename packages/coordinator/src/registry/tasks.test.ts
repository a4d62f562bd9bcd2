import { readFileSync } from 'node:fs';
import { readTopology } from '@coppice/model-files';
import { CreateTaskSchema } from '@coppice/protocol';
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

it('gives a task whose model divides by 255 itself a range for it, and refuses one that says otherwise', async () => {
  const file = new URL('../../../../test/cases/models/rescaling-first.json', import.meta.url);
  const body = CreateTaskSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const storage = memoryStorage();
  const check = {
    check: async (model: unknown) => ({ topology: readTopology(model), loss: 'categoricalCrossentropy' }),
    layout: async () => [],
  } as unknown as ModelWorker;
  const own = new Tasks({ storage, models: check, desk: {} as WeightsDesk });
  const otherwise = { ...body, data: { ...body.data, range: '0-1' as const } };
  await expect(own.create(CreateTaskSchema.parse(otherwise))).rejects.toMatchObject({
    code: 'model-invalid',
    message: expect.stringContaining('Choose the range 0–255'),
  });
  expect((await own.create(body)).data).toEqual({ ...body.data, range: '0-255' });
  expect((await storage.tasks()).map(({ data }) => data)).toEqual([{ ...body.data, range: '0-255' }]);
});
