import { expect, it } from 'vitest';
import { runTerms, termsVersion } from './terms.ts';

const model = { parameters: 100, trainable: 100, frozen: 0 };
const version = (plan: object) => termsVersion(runTerms(model, plan));

it('have the same version where the same leaves the device, however long a run is', () => {
  expect(version({ rounds: 10, learningRate: 0.1 })).toBe(
    version({ rounds: 40, learningRate: 0.2, window: 7 }),
  );
  expect(version({})).toMatch(/^[0-9a-f]{64}$/);
});

it.each([{ uploadCodec: 'int8' }, { clipNorm: 1 }, { strategy: 'scaffold' }])(
  'have another version with %o',
  (plan) => expect(version(plan)).not.toBe(version({})),
);

it('have another version for another model', () => {
  expect(termsVersion(runTerms({ ...model, parameters: 101 }, {}))).not.toBe(version({}));
});
