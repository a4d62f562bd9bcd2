import { defaultPlan, encodeFrame } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimate } from './estimate.ts';

describe('estimate', () => {
  it('counts the bytes of the frames that a run really sends', () => {
    const parameters = 131;
    const frame = encodeFrame({
      kind: 'weights',
      codec: 'float32',
      layoutHash: new Uint8Array(16),
      parameters,
      payload: new Uint8Array(4 * parameters),
    }).byteLength;
    const plan = { ...defaultPlan, cohortSize: 10, overSelection: 1.3, rounds: 7 };
    const found = estimate(plan, parameters, 100);
    expect(found).toMatchObject({ asked: 13, taken: 10, down: 13 * frame, up: 10 * frame });
    expect(found.inAll).toBe(7 * 23 * frame);
    expect(found.perParticipant).toBe(2 * frame);
    // 131 whole numbers and their scale.
    const smaller = estimate({ ...plan, uploadCodec: 'int8' }, parameters, 100);
    expect(smaller).toMatchObject({ down: 13 * frame, up: 10 * (40 + 4 + 131) });
    // Rounded models are as small; by steps they are, but for the first.
    const rounded = estimate({ ...plan, downloadCodec: 'int8' }, parameters, 100);
    expect(rounded).toMatchObject({ down: 13 * (40 + 4 + 131), inAll: 7 * (rounded.down + 10 * frame) });
    const steps = estimate({ ...plan, downloadCodec: 'int8', downloadForm: 'steps' }, parameters, 100);
    expect(steps.perRound).toBe(rounded.perRound);
    expect(steps.inAll).toBe(13 * frame + 6 * rounded.down + 7 * 10 * frame);
    // A control variate goes down in a frame of its own, and its change up in the update's.
    const scaffold = estimate({ ...plan, strategy: 'scaffold', uploadCodec: 'int8' }, parameters, 100);
    expect(scaffold).toMatchObject({ down: 13 * 2 * frame, up: 10 * (40 + 4 + 2 * 131) });
    // Steps above 1 MiB never travel: whole models do.
    const large = estimate({ ...plan, downloadCodec: 'int8', downloadForm: 'steps' }, 2_000_000, 100);
    expect(large.down).toBe(13 * (8_000_000 + 40));
  });

  it('never asks more than there are, nor fewer than it takes, nor nobody', () => {
    fc.assert(
      fc.property(
        fc.record({
          cohortSize: fc.option(fc.integer({ min: 1, max: 500 })),
          cohortFraction: fc.double({ min: 0.0001, max: 1, noNaN: true }),
          overSelection: fc.double({ min: 1, max: 5, noNaN: true }),
          minParticipants: fc.integer({ min: 1, max: 100 }),
        }),
        fc.integer({ min: 0, max: 1000 }),
        (fields, connected) => {
          const { asked, taken } = estimate({ ...defaultPlan, ...fields }, 10, connected);
          expect(taken).toBeGreaterThanOrEqual(1);
          expect(asked).toBeGreaterThanOrEqual(taken);
          expect(asked).toBeLessThanOrEqual(Math.max(connected, fields.minParticipants));
        },
      ),
    );
  });
});
