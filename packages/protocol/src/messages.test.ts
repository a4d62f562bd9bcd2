import { describe, expect, it } from 'vitest';
import { LayoutSchema } from './layout.ts';
import { parseMessage } from './messages.ts';
import { defaultPlan, PlanInputSchema, PlanSchema, planFields } from './plan.ts';
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

describe('the plan', () => {
  it('has defaults that are valid themselves', () => {
    expect(PlanSchema.safeParse(defaultPlan).success).toBe(true);
    expect(Object.keys(defaultPlan).sort()).toEqual(Object.keys(planFields).sort());
  });

  it('explains every field in both languages, in a sentence', () => {
    for (const { label, help } of Object.values(planFields)) {
      expect(label.zh).toBeTruthy();
      expect(help.zh).toMatch(/[。]$/);
      expect(help.en).toMatch(/\.$/);
    }
  });

  it('agrees with the bounds its form shows', () => {
    for (const [name, { input }] of Object.entries(planFields)) {
      if (input.kind !== 'number') continue;
      for (const [value, ok] of [
        [input.min, true],
        [input.max, true],
        [input.min - 1, false],
        [input.max + 1, false],
      ] as const) {
        expect(PlanInputSchema.safeParse({ [name]: value }).success, `${name} ${value}`).toBe(ok);
      }
    }
  });

  it('refuses fields it does not know', () => {
    expect(PlanInputSchema.safeParse({ learningrate: 1 }).success).toBe(false);
  });
});
