import { describe, expect, it } from 'vitest';
import { downMessages } from './down.ts';
import { CoppiceError } from './errors.ts';
import { type DownName, parseMessage, type UpName } from './messages.ts';
import { TaskSchema } from './task.ts';
import { sampleDown, sampleReplies, sampleTask, sampleUp } from './testing/index.ts';
import { upMessages } from './up.ts';

/** The value with a field more in every object, at every depth; of bytes and of a topology, which may hold anything, none. */
function withMore(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => withMore(one));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  // A model's topology is any JSON, and a record's fields are its value.
  if (name === 'model' || name === 'planDefaults' || name === 'normBounds') return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withMore(inner, key)]);
  return Object.fromEntries([...entries, ['of-a-newer-version', { deep: [1] }]]);
}

const downward = [
  ...(Object.keys(downMessages) as DownName[]).map(
    (name) => [name, downMessages[name], sampleDown[name]] as const,
  ),
  ...(Object.keys(sampleReplies) as (keyof typeof sampleReplies)[]).flatMap((name) =>
    sampleReplies[name].map((reply) => [`reply to ${name}`, upMessages[name].reply, reply] as const),
  ),
];

describe('what comes down', () => {
  it.each(downward)('is read without the fields that this side does not know: %s', (name, schema, value) => {
    const read = parseMessage(name, schema, withMore(value));
    expect(read).toEqual(parseMessage(name, schema, value));
    expect(JSON.stringify(read)).not.toContain('of-a-newer-version');
  });

  it('is read where an enum has a word that this side does not know', () => {
    const { run } = sampleDown.run;
    const word = 'of-a-newer-version';
    const changed = { run: { ...run, status: word, phase: word, admission: word }, now: 1 };
    expect(parseMessage('run', downMessages.run, changed)).toMatchObject({
      run: { status: 'paused', phase: 'idle', admission: 'listed' },
    });
    expect(parseMessage('ask', downMessages.ask, { ...sampleDown.ask, kind: word }).kind).toBe(word);
    expect(
      parseMessage('round-end', downMessages['round-end'], {
        ...sampleDown['round-end'],
        outcome: word,
        you: word,
      }),
    ).toMatchObject({ outcome: 'abandoned', you: 'late' });
    expect(
      parseMessage('run-end', downMessages['run-end'], { ...sampleDown['run-end'], status: word }).status,
    ).toBe('stopped');
  });

  it('is refused all the same where a known field is wrong', () => {
    expect(() => parseMessage('ask', downMessages.ask, { ...sampleDown.ask, ticket: 3 })).toThrow(
      expect.objectContaining({ code: 'message-invalid', message: expect.stringContaining('ticket') }),
    );
  });

  it('is no plan to train by where the plan has a word that this side does not know', () => {
    const [joined] = sampleReplies.join;
    if (joined?.ok !== true) throw new Error('it is joined');
    const plan = { ...joined.value.plan, optimizer: 'of-a-newer-version' };
    const read = () =>
      parseMessage('reply', upMessages.join.reply, { ok: true, value: { ...joined.value, plan } });
    expect(read).toThrow(
      expect.objectContaining({ code: 'plan-unsupported', message: expect.stringContaining('optimizer') }),
    );
  });

  it('is read by its retry where its code is not known', () => {
    const error = { code: 'of-a-newer-version', message: 'New.', retry: 'never', retryAfter: 20 };
    const read = parseMessage('reply', upMessages.answer.reply, { ok: false, error });
    if (read.ok) throw new Error('it is an error');
    expect(CoppiceError.fromWire(read.error)).toMatchObject({
      code: 'internal',
      message: 'New.',
      retry: 'never',
      retryAfter: 20,
    });
    const unknown = { ok: false, error: { ...error, retry: 'sometimes' } };
    const later = parseMessage('reply', upMessages.answer.reply, unknown);
    expect(later).toMatchObject({ error: { code: 'internal', retry: 'later' } });
  });
});

describe('what goes up, and what admins write', () => {
  it.each(Object.keys(upMessages) as UpName[])('is refused with a field that is not known: %s', (name) => {
    expect(() => parseMessage(name, upMessages[name].schema, { ...sampleUp[name], more: 1 })).toThrow(
      expect.objectContaining({ code: 'message-invalid', message: expect.stringContaining('more') }),
    );
  });

  it('stays strict, although the same schema is read tolerantly on its way down', () => {
    expect(TaskSchema.safeParse({ ...sampleTask, more: 1 }).success).toBe(false);
  });
});
