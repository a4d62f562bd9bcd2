import { expect, it } from 'vitest';
import { downMessages } from './down.ts';
import { describeWire } from './json-schemas.ts';
import { upMessages } from './up.ts';

const { hello, error, messages, frame } = describeWire();

it('describes every message with its direction, and replies where there are any', () => {
  const named = (direction: 'up' | 'down') =>
    Object.keys(messages).filter((name) => messages[name]?.direction === direction);
  expect(named('up')).toEqual(Object.keys(upMessages));
  expect(named('down')).toEqual(Object.keys(downMessages));
  expect(
    Object.entries(messages)
      .filter(([, { reply }]) => reply === null)
      .map(([name]) => name),
  ).toEqual(['progress', ...Object.keys(downMessages)]);
});

it('is strict up, open down, and says which parts are binary', () => {
  expect(hello).toMatchObject({ required: ['protocol', 'key'] });
  expect(hello).not.toHaveProperty('additionalProperties');
  expect(messages['answer']?.schema).toMatchObject({
    additionalProperties: false,
    properties: { frame: { type: 'string', contentEncoding: 'binary' } },
  });
  // The plan inside a topology is any JSON; everything else below is open.
  const down = Object.values(messages).filter(({ direction }) => direction === 'down');
  expect(JSON.stringify(down)).not.toContain('"additionalProperties":false');
  expect(JSON.stringify(messages['join']?.reply)).not.toContain('"additionalProperties":false');
});

it('names the codes of errors, the kinds of frames and their codecs', () => {
  const { properties } = error as { properties: { code: { enum: string[] } } };
  expect(properties.code.enum).toContain('ticket-invalid');
  expect(frame).toMatchObject({ kinds: { contribution: 2 }, codecs: { int4: 3 } });
});
