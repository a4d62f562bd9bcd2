import { expect, it } from 'vitest';
import { newFiring } from './firing.testing.ts';
import { StoredFiringSchema } from './firing-storage.ts';

it('reads a firing that was stored before its run was waited for: it waits anew', () => {
  const { waitsSince: _waitsSince, ...before } = {
    ...newFiring({ state: 'training' }),
    sequence: 1,
    revision: 2,
  };
  expect(StoredFiringSchema.parse(JSON.parse(JSON.stringify(before)))).toEqual({
    ...before,
    waitsSince: null,
  });
});
