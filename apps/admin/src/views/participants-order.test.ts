import type { ParticipantRow } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orders, participantStates, sortParticipants } from './participants-order.ts';

const row: fc.Arbitrary<ParticipantRow> = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{32}$/),
  run: fc.constant('iris-1'),
  device: fc.constantFrom('browser', 'headless'),
  backend: fc.constantFrom('wasm', 'webgl'),
  state: fc.constantFrom(...participantStates),
  examplesAtLeast: fc.constantFrom(0, 1, 10, 100),
  speed: fc.option(fc.integer({ min: 1, max: 9 })),
  progress: fc.option(fc.constantFrom(0, 0.5, 1)),
  roundsDelivered: fc.nat(5),
  roundsMissed: fc.nat(5),
  bytesUp: fc.nat(9),
  bytesDown: fc.nat(9),
  lastSeenAt: fc.nat(9),
  lastError: fc.constant(null),
});
const rows = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 12 });

describe('sortParticipants', () => {
  it('gives the same table whatever order the rows came in', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(...orders), fc.boolean(), (given, order, descending) => {
        const sorted = sortParticipants(given, order, descending);
        expect(sortParticipants(given.toReversed(), order, descending)).toEqual(sorted);
        expect(new Set(sorted)).toEqual(new Set(given));
      }),
    );
  });

  it('orders by the column, with what is not known at the end', () => {
    fc.assert(
      fc.property(rows, fc.boolean(), (given, descending) => {
        const speeds = sortParticipants(given, 'speed', descending).map(({ speed }) => speed);
        const known = speeds.filter((speed) => speed !== null);
        expect(speeds.slice(0, known.length)).toEqual(known);
        expect(known).toEqual(known.toSorted((a, b) => (descending ? b - a : a - b)));
      }),
    );
  });
});
