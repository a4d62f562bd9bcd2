import { describe, expect, it } from 'vitest';
import { LayoutSchema } from './layout.ts';
import { parseMessage } from './messages.ts';
import { upMessages } from './up.ts';

const update = {
  run: 'r-1',
  round: 1,
  attempt: 1,
  checkpoint: 'a'.repeat(64),
  examples: 3,
  loss: null,
  evaluation: null,
  milliseconds: 1,
  frame: new Uint8Array(3),
};

describe('a message', () => {
  it('passes whole, its frame uncopied', () => {
    const parsed = parseMessage('update', upMessages.update.schema, update);
    expect(parsed).toEqual(update);
    expect((parsed as typeof update).frame).toBe(update.frame);
  });

  it.each([
    ['a missing field', { ...update, round: undefined }, 'round'],
    ['a wrong type', { ...update, examples: '3' }, 'examples'],
    ['a fraction of an example', { ...update, examples: 1.5 }, 'examples'],
    ['a huge claim', { ...update, examples: 2 ** 21 }, 'examples'],
    ['a field that is not part of the wire', { ...update, extra: 1 }, 'extra'],
    ['text in place of a frame', { ...update, frame: 'abc' }, 'frame'],
    ['a NaN', { ...update, milliseconds: Number.NaN }, 'milliseconds'],
  ])('with %s is refused, naming it', (_what, message, field) => {
    expect(() => parseMessage('update', upMessages.update.schema, message)).toThrow(
      expect.objectContaining({ code: 'message-invalid', message: expect.stringContaining(field) }),
    );
  });

  it.each([null, undefined, 3, 'text', [], () => {}])('that is no object (%s) is refused', (message) => {
    expect(() => parseMessage('update', upMessages.update.schema, message)).toThrow(
      expect.objectContaining({ code: 'message-invalid' }),
    );
  });
});

it('is refused by name where something has a length that cannot be compared', () => {
  for (const length of [{ toString: 'no function' }, Object.create(null), Symbol('long')]) {
    const parse = () => parseMessage('update', upMessages.update.schema, { ...update, run: { length } });
    expect(parse).toThrow(expect.objectContaining({ code: 'message-invalid' }));
    const whole = () => parseMessage('layout', LayoutSchema, { length });
    expect(whole).toThrow(expect.objectContaining({ code: 'message-invalid' }));
  }
});
