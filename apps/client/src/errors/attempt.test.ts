import { CoppiceError } from '@coppice/protocol';
import { beforeEach, expect, it } from 'vitest';
import { attempt, problem } from './attempt.ts';

const fails = (code: 'storage-full' | 'data-invalid') => () =>
  Promise.reject(new CoppiceError(code, 'It did not go.'));
const goes = () => Promise.resolve('done');

beforeEach(() => {
  problem.value = null;
});

it('gives the result, or shows what went wrong', async () => {
  expect(await attempt('examples', goes)).toBe('done');
  expect(problem.value).toBeNull();
  expect(await attempt('examples', fails('storage-full'))).toBeUndefined();
  expect(problem.value?.code).toBe('storage-full');
});

it('keeps a problem on the page through other work, until the same goes well', async () => {
  await attempt('examples', fails('storage-full'));
  await attempt('ask', goes);
  expect(problem.value?.code).toBe('storage-full');
  await attempt('examples', fails('data-invalid'));
  expect(problem.value?.code).toBe('data-invalid');
  await attempt('examples', goes);
  expect(problem.value).toBeNull();
});
