import { expect, it } from 'vitest';
import { KeptModels } from './kept-models.ts';

it('loads a model once while it is asked for, and lets go of those asked for longest ago', async () => {
  const models = new KeptModels(100);
  const loaded: string[] = [];
  const get = (name: string, bytes = 40) =>
    models.get(name, async () => {
      loaded.push(name);
      return { codec: 'float32' as const, frame: new Uint8Array(0), payload: new Uint8Array(bytes) };
    });
  await Promise.all([get('a'), get('a'), get('b')]);
  await get('a');
  expect(loaded).toEqual(['a', 'b']);
  // A third does not fit: b was asked for longest ago.
  await get('c');
  await get('a');
  expect(loaded).toEqual(['a', 'b', 'c']);
  await get('b');
  expect(loaded).toEqual(['a', 'b', 'c', 'b']);
  // One that is larger than the bound is not kept.
  await get('huge', 101);
  await get('huge', 101);
  expect(loaded).toEqual(['a', 'b', 'c', 'b', 'huge', 'huge']);
});

it('tries again after a failure', async () => {
  const models = new KeptModels();
  await expect(models.get('a', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  const model = { codec: 'float32' as const, frame: new Uint8Array(0), payload: new Uint8Array(4) };
  expect(await models.get('a', async () => model)).toBe(model);
});
