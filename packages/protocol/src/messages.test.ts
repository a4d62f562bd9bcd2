import { describe, expect, it } from 'vitest';
import { downMessages } from './down.ts';
import { LayoutSchema } from './layout.ts';
import { parseMessage } from './messages.ts';
import { upMessages } from './up.ts';

const answer = { run: 'r-1', ticket: 't1-1.abc', weight: 3, milliseconds: 1, frame: new Uint8Array(3) };
const parcel = { name: 'model', hash: 'ab'.repeat(32), frame: new Uint8Array(3) };

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
    ['a run and a task', { ...answer, task: 'iris' }, 'a run or a task'],
    ['neither a run nor a task', { ...answer, run: undefined }, 'a run or a task'],
  ])('with %s is refused, naming it', (_what, message, field) => {
    expect(() => parseMessage('answer', upMessages.answer.schema, message)).toThrow(
      expect.objectContaining({ code: 'message-invalid', message: expect.stringContaining(field) }),
    );
  });

  it('answers a task in the place of a run', () => {
    const { run: _run, ...report } = { ...answer, task: 'iris' };
    expect(parseMessage('answer', upMessages.answer.schema, report)).toEqual(report);
  });

  it.each([
    ['of a run', { run: 'r-1', kind: 'train', round: 1, attempt: 0, remaining: 1 }, /attempt/],
    [
      'of a task',
      { task: 'iris', kind: 'report', period: -1, remaining: 1, reference: null, models: [], since: null },
      /period/,
    ],
  ])('that asks a question %s is refused for what is wrong in it', (_what, message, field) => {
    const ask = { ticket: 't', asked: 1, parcels: [parcel], given: {}, ...message };
    expect(() => parseMessage('ask', downMessages.ask, ask)).toThrow(field);
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
