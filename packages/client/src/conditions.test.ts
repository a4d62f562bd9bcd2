import { expect, it } from 'vitest';
import { unmet } from './conditions.ts';

it('takes a condition for unmet where it is not, and where the browser does not tell', () => {
  expect(unmet({}, { idle: true, charging: true, unmetered: true })).toEqual({ held: [], unknown: [] });
  expect(unmet({}, { idle: false, charging: null, unmetered: true })).toEqual({
    held: ['idle', 'charging'],
    unknown: ['charging'],
  });
});

it('asks for all but those that are switched off', () => {
  const nothing = { idle: false, charging: null, unmetered: null };
  expect(unmet({ idle: false, charging: false, unmetered: false }, nothing).held).toEqual([]);
  expect(unmet({ idle: true, charging: false }, nothing)).toEqual({
    held: ['idle', 'unmetered'],
    unknown: ['unmetered'],
  });
});
