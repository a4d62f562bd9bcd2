import { anyText } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readOptions, UsageError, usage } from './options.ts';

const flags = [...usage().matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map(([, flag]) => flag as string);
const values = [
  '1',
  '0',
  '-1',
  '1e9',
  'NaN',
  '',
  ' ',
  'iid',
  'shards:2',
  'dirichlet:0',
  'http://[::1]:1',
  'wasm',
  '99999999999999999999',
];

it('any command line is understood, or refused with the words for how it is used', () => {
  expect(flags.length).toBeGreaterThan(15);
  const word = fc.oneof(fc.constantFrom(...flags), fc.constantFrom(...values), anyText);
  const pair = fc
    .tuple(fc.constantFrom(...flags), fc.oneof(fc.constantFrom(...values), anyText))
    .map(([flag, value]) => `${flag}=${value}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(word, pair), { maxLength: 6 }), (argv) => {
      try {
        const options = readOptions(argv, {});
        if (options === 'help') return;
        for (const number of [options.clients, options.plan.rounds, options.plan.seed, options.processes])
          expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
      } catch (thrown) {
        if (!(thrown instanceof UsageError)) throw thrown;
        expect(thrown.message.length).toBeGreaterThan(10);
      }
    }),
    { numRuns: 2000 },
  );
});
