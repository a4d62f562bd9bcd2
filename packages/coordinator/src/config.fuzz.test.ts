import { anyText, attempt, mutated } from '@coppice/protocol/testing';
import express from 'express';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { options, readConfig } from './config.ts';
import { allowedOrigins } from './security/origins.ts';

const flags = Object.values(options).map(({ flag }) => `--${flag}`);
const values = [
  '0',
  '127.0.0.1',
  '10.0.0.0/8,::1',
  '::ffff:1.2.3.4/10',
  '1.2.3.4/0',
  'fe80::1%eth0',
  'https://example.org,http://a:1',
  'http://[::1]:3',
  'postgres://a:b@c/d',
  'mailto:somebody',
  '99999999999999999999',
  '-1',
];

/** What is taken must be usable where it is used: who starts a coordinator hears of it then, not later. */
function use(config: ReturnType<typeof readConfig>): void {
  if (config === 'help') return;
  const { trustProxy } = config;
  if (trustProxy !== null)
    express().set('trust proxy', /^\d+$/.test(trustProxy) ? Number(trustProxy) : trustProxy.split(','));
  allowedOrigins(config);
  expect(Object.keys(config).sort()).toEqual(Object.keys(options).sort());
  expect(config.port).toBeGreaterThanOrEqual(0);
}

describe('the configuration', () => {
  it('is taken from any flags, or refused by name', () => {
    const word = fc.oneof(fc.constantFrom(...flags), fc.constantFrom(...values), anyText);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        const result = attempt(() => readConfig(argv, {}));
        if ('refused' in result) expect(result.refused.code).toBe('config-invalid');
        else use(result.value);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(Object.values(options).map(({ env, flag }) => [env, flag]))(
    'takes %s, or refuses it by name, as --%s',
    (env, flag) => {
      const changed = mutated(...values).filter((value) => typeof value === 'string') as fc.Arbitrary<string>;
      fc.assert(
        fc.property(fc.oneof(fc.constantFrom(...values), changed, anyText), (value) => {
          const result = attempt(() => readConfig([], { [env]: value }));
          const same = attempt(() => readConfig([`--${flag}=${value}`], {}));
          if ('refused' in result) expect(result.refused.message).toContain(env);
          else use(result.value);
          if ('value' in same) use(same.value);
        }),
        { numRuns: 400 },
      );
    },
  );
});
