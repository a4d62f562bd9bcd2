import { isErrorCode } from '@coppice/protocol';
import { anyText, attempt, mutated, survives } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { readRoute, writeRoute } from '../shell/route.ts';
import { isShare, setting } from '../shell/settings.ts';
import { blankTask, type TaskFields, taskRequest } from '../views/task-request.ts';
import { call, fetchTasks } from './api.ts';

afterEach(() => vi.unstubAllGlobals());

it('whatever answers is understood, or an error with a code that there is', async () => {
  const answer = fc.oneof(
    mutated({ error: { code: 'forbidden', message: 'No.' } }, []).map((value) => JSON.stringify(value) ?? ''),
    anyText,
  );
  await fc.assert(
    fc.asyncProperty(answer, fc.constantFrom(200, 401, 404, 502), async (text, status) => {
      vi.stubGlobal('fetch', async () => new Response(text, { status }));
      for (const ask of [() => call('GET', '/api/x'), () => fetchTasks()]) {
        const thrown = await ask().catch((error: unknown) => error);
        if (thrown instanceof Error) expect(isErrorCode((thrown as { code?: unknown }).code)).toBe(true);
        else expect(status).toBe(200);
      }
      vi.stubGlobal('fetch', async () => new Response('[]'));
      expect(await survives(fetchTasks)).toEqual({ value: [] });
    }),
    { numRuns: 300 },
  );
});

it('any address is a place on the page, and is written as it was read', () => {
  const hash = fc.oneof(
    anyText,
    fc.string({ unit: fc.constantFrom('#', 'run', 'launch', 'compare', '=', '&', '%', ',', 'a', '+') }),
  );
  fc.assert(
    fc.property(hash, (text) => {
      const route = readRoute(text);
      expect(readRoute(writeRoute(route))).toEqual(route);
    }),
    { numRuns: 2000 },
  );
});

it('a setting is one of those there are, whatever was stored', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.json(), fc.constantFrom('1', '0.5', '2', 'null')), (text) => {
      vi.stubGlobal('localStorage', { getItem: () => text, setItem: () => {} });
      const { value } = setting('share', 0, isShare);
      expect(value >= 0 && value <= 1).toBe(true);
    }),
  );
});

it('a form of any content is a request, or refused for its model', () => {
  const texts = fc.record(
    Object.fromEntries(Object.keys(blankTask).map((name) => [name, fc.oneof(anyText, fc.json())])),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom('image', 'table'), (fields, kind) => {
      const result = attempt(() =>
        taskRequest({ ...(fields as unknown as TaskFields), kind: kind as 'image' }),
      );
      if ('refused' in result) expect(result.refused.code).toBe('model-invalid');
      else expect(JSON.stringify(result.value)).toBeTypeOf('string');
    }),
  );
});
