import { type RunSummary, weightsHash } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { lastModels } from './last-model.ts';

const weights = Float32Array.of(1, -2, 0.5);
const run = {
  id: 'iris-1',
  task: 'iris',
  admission: 'open',
  round: 7,
  checkpoint: weightsHash(weights),
} as RunSummary;
const bytes = () => new Uint8Array(weights.slice().buffer);

/** A coordinator that answers with these bytes, and what it was asked. */
function serving(...answers: (() => Uint8Array<ArrayBuffer> | null)[]) {
  const asked: string[] = [];
  const ask = (async (address: string) => {
    asked.push(address);
    if (address === '/api/tasks/iris') return Response.json({ id: 'iris' });
    const body = (answers.length > 1 ? answers.shift() : answers[0])?.() ?? null;
    if (body !== null) return new Response(body);
    const error = { code: 'checkpoint-unknown', message: 'There is none.', retry: 'never' };
    return Response.json({ error }, { status: 404 });
  }) as typeof fetch;
  const pull = async (id: string) => {
    asked.push(`pull ${id}`);
    return { round: 7, checkpoint: run.checkpoint, weights };
  };
  return { asked, model: lastModels(pull, ask) };
}

it('is the checkpoint of the run, fetched once', async () => {
  const { asked, model } = serving(bytes);
  for (let i = 0; i < 2; i++) {
    expect(await model(run)).toEqual({
      task: { id: 'iris' },
      model: { round: 7, checkpoint: run.checkpoint, weights },
    });
  }
  expect(asked.toSorted()).toEqual(['/api/tasks/iris', `/models/iris/${run.checkpoint}/weights.bin`]);
});

it.each([
  ['a bit that flipped', () => bytes().with(5, (bytes()[5] as number) ^ 1)],
  ['an end cut off', () => bytes().slice(0, 8)],
  ['an end within a number', () => bytes().slice(0, 9)],
])('is refused with %s, and fetched anew for the next question', async (_, damaged) => {
  const { model } = serving(damaged as () => Uint8Array<ArrayBuffer>, bytes);
  await expect(model(run)).rejects.toMatchObject({ code: 'frame-invalid' });
  expect((await model(run)).model.weights).toEqual(weights);
});

it('hands on the refusal of the coordinator', async () => {
  const { model } = serving(() => null);
  await expect(model(run)).rejects.toMatchObject({ code: 'checkpoint-unknown' });
});

it('comes from a run that is not open as to one whom it admitted', async () => {
  const { asked, model } = serving(() => null);
  expect((await model({ ...run, admission: 'invited' })).model.weights).toEqual(weights);
  expect(asked.toSorted()).toEqual(['/api/tasks/iris', 'pull iris-1']);
});
