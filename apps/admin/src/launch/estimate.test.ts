import { defaultPlan, encodeFrame } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimate } from './estimate.ts';

describe('estimate', () => {
  it('counts the bytes of the frames that a run really sends', () => {
    const parameters = 131;
    const model = { parameters, trainable: parameters, frozen: 0 };
    const frame = encodeFrame({
      kind: 'weights',
      codec: 'float32',
      layoutHash: new Uint8Array(16),
      parameters,
      payload: new Uint8Array(4 * parameters),
    }).byteLength;
    const plan = { ...defaultPlan, cohortSize: 10, overSelection: 1.3, rounds: 7 };
    const found = estimate(plan, model, 100);
    expect(found).toMatchObject({ asked: 13, taken: 10, down: 13 * frame, up: 10 * frame });
    expect(found.inAll).toBe(7 * 23 * frame);
    expect(found.perParticipant).toBe(2 * frame);
    // 131 whole numbers and their scale.
    const smaller = estimate({ ...plan, uploadCodec: 'int8' }, model, 100);
    expect(smaller).toMatchObject({ down: 13 * frame, up: 10 * (40 + 4 + 131) });
    // Rounded models are as small; by steps they are, but for the first.
    const rounded = estimate({ ...plan, downloadCodec: 'int8' }, model, 100);
    expect(rounded).toMatchObject({ down: 13 * (40 + 4 + 131), inAll: 7 * (rounded.down + 10 * frame) });
    const steps = estimate({ ...plan, downloadCodec: 'int8', downloadForm: 'steps' }, model, 100);
    expect(steps.perRound).toBe(rounded.perRound);
    expect(steps.inAll).toBe(13 * frame + 6 * rounded.down + 7 * 10 * frame);
    // A control variate goes down in a frame of its own, and its change up in the update's, with a scale of its own.
    const scaffold = estimate({ ...plan, strategy: 'scaffold', uploadCodec: 'int8' }, model, 100);
    expect(scaffold).toMatchObject({ down: 13 * 2 * frame, up: 10 * (40 + 2 * (4 + 131)) });
    // Steps above 1 MiB never travel: whole models do.
    const large = estimate(
      { ...plan, downloadCodec: 'int8', downloadForm: 'steps' },
      { parameters: 2_000_000, trainable: 2_000_000, frozen: 0 },
      100,
    );
    expect(large.down).toBe(13 * (8_000_000 + 40));
  });

  it('counts frozen weights once for each device, and in no round', () => {
    // Nine of ten are frozen, one of the others is an average.
    const model = { parameters: 1000, trainable: 99, frozen: 900 };
    const plan = {
      ...defaultPlan,
      cohortSize: 10,
      overSelection: 1,
      rounds: 7,
      uploadCodec: 'int8',
    } as const;
    const found = estimate(plan, model, 30);
    const [down, up] = [40 + 4 * 100 + 40, 40 + 4 + (4 + 99)];
    expect(found).toMatchObject({ once: 3600, model: down, update: up, down: 10 * down, up: 10 * up });
    expect(found.perRound).toBe(10 * (down + up));
    // Thirty devices are here, and over seven rounds each of them may be asked.
    expect(found.inAll).toBe(7 * found.perRound + 30 * 3600);
    expect(estimate({ ...plan, rounds: 2 }, model, 30).inAll).toBe(2 * found.perRound + 20 * 3600);
    expect(found.perParticipant).toBe(down + up);
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
          const plan = { ...defaultPlan, ...fields };
          const numbers = { parameters: 10, trainable: 10, frozen: 0 };
          const { asked, taken } = estimate(plan, numbers, connected);
          expect(taken).toBeGreaterThanOrEqual(1);
          expect(asked).toBeGreaterThanOrEqual(taken);
          expect(asked).toBeLessThanOrEqual(Math.max(connected, fields.minParticipants));
        },
      ),
    );
  });
});
