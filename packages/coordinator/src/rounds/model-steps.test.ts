import { decodeFrame, type FrameExpectation, payloadBytes } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { ModelSteps } from './model-steps.ts';

const parameters = 1000;
const layoutHash = new Uint8Array(16).fill(7);
const length = payloadBytes('int8', { parameters, trainable: parameters });
const expected: FrameExpectation = { kind: 'steps', codec: 'int8', layoutHash, parameters };
const stepOf = (n: number) => new Uint8Array(length).fill(n);

describe('the steps of a model', () => {
  it('are put one after the other, from any model that is not too old', () => {
    const steps = new ModelSteps('0', { codec: 'int8', layoutHash, parameters });
    for (let n = 1; n <= 9; n++) steps.add(stepOf(n), String(n));
    const from = (base: string) => {
      const frame = steps.from(base);
      return frame === null ? null : [...new Set(decodeFrame(frame, expected).payload)];
    };
    expect(from('9')).toEqual([]);
    expect(from('8')).toEqual([9]);
    expect(from('6')).toEqual([7, 8, 9]);
    // A fourth would be as many bytes as the whole model.
    expect(from('5')).toBeNull();
    expect(from('0')).toBeNull();
    expect(from('of another run')).toBeNull();
    expect(steps.from('8')).toBe(steps.from('8'));
  });

  it('are none where one is too large to be sent', () => {
    const steps = new ModelSteps('0', { codec: 'int8', layoutHash, parameters: 2_000_000 });
    steps.add(new Uint8Array(2_000_000), '1');
    expect(steps.from('0')).toBeNull();
    expect(steps.from('1')).not.toBeNull();
  });
});
