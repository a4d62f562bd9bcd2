import { describe, expect, it } from 'vitest';
import { LayoutSchema } from './layout.ts';
import { parseMessage } from './messages.ts';
import { defaultPlan, PlanInputSchema, PlanSchema, planFields } from './plan.ts';
import { upMessages } from './up.ts';

const answer = { run: 'r-1', ticket: 't1-1.abc', weight: 3, milliseconds: 1, frame: new Uint8Array(3) };

describe('a message', () => {
  it('passes whole, its frame uncopied', () => {
    const parsed = parseMessage('answer', upMessages.answer.schema, answer);
    expect(parsed).toEqual(answer);
    expect(parsed.frame).toBe(answer.frame);
  });

  it.each([
    ['a missing field', { ...answer, ticket: undefined }, 'ticket'],
    ['a wrong type', { ...answer, weight: '3' }, 'weight'],
    ['a fraction of an example', { ...answer, weight: 1.5 }, 'weight'],
    ['a huge claim', { ...answer, weight: 2 ** 21 }, 'weight'],
    ['a field that is not part of the wire', { ...answer, extra: 1 }, 'extra'],
    ['a ticket with other letters', { ...answer, ticket: 'a b' }, 'ticket'],
    ['text in place of a frame', { ...answer, frame: 'abc' }, 'frame'],
    ['a NaN', { ...answer, milliseconds: Number.NaN }, 'milliseconds'],
  ])('with %s is refused, naming it', (_what, message, field) => {
    expect(() => parseMessage('answer', upMessages.answer.schema, message)).toThrow(
      expect.objectContaining({ code: 'message-invalid', message: expect.stringContaining(field) }),
    );
  });

  it.each([null, undefined, 3, 'text', [], () => {}])('that is no object (%s) is refused', (message) => {
    expect(() => parseMessage('answer', upMessages.answer.schema, message)).toThrow(
      expect.objectContaining({ code: 'message-invalid' }),
    );
  });
});

it('is refused by name where something has a length that cannot be compared', () => {
  for (const length of [{ toString: 'no function' }, Object.create(null), Symbol('long')]) {
    const parse = () => parseMessage('answer', upMessages.answer.schema, { ...answer, run: { length } });
    expect(parse).toThrow(expect.objectContaining({ code: 'message-invalid' }));
    const whole = () => parseMessage('layout', LayoutSchema, { length });
    expect(whole).toThrow(expect.objectContaining({ code: 'message-invalid' }));
  }
});

describe('a decline', () => {
  const decline = (reason: unknown) =>
    parseMessage('decline', upMessages.decline.schema, { run: 'r-1', ticket: 't', reason }).reason;

  it.each(['paused', 'dropout', 'backend-unavailable', 'a-code-of-tomorrow'])(
    'is heard with %s',
    (reason) => {
      expect(decline(reason)).toBe(reason);
    },
  );

  it.each(['', 'Two words', 'a'.repeat(61), 3, null, undefined])('is refused with %s', (reason) => {
    expect(() => decline(reason)).toThrow(
      expect.objectContaining({ code: 'message-invalid', message: expect.stringContaining('reason') }),
    );
  });
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
