import { readFileSync } from 'node:fs';
import { EventSchema, eventKinds, type KnownEvent, MAX_TEXT } from '@coppice/protocol';
import { sampleEvents } from '@coppice/protocol/testing';
import { describe, expect, it } from 'vitest';
import { eventRow } from './event-row.ts';
import type { NewEvent } from './new-event.ts';

const participant = '0'.repeat(32);
const place = { run: 'iris-1', round: 3, level: 'info' } as const;
const every = eventKinds.flatMap((kind) =>
  sampleEvents[kind].map((data) => ({ ...place, ...({ kind, data } as KnownEvent) })),
);

describe('eventRow', () => {
  it.each(every.map((event) => [event.kind, event] as const))('makes a sentence of %s', (_, event) => {
    const row = eventRow(event, 5);
    expect(EventSchema.safeParse({ id: 1, ...row }).error).toBeUndefined();
    expect(row.message).toMatch(/^[A-Z].*\S/);
    expect(row.message).not.toMatch(/undefined|null|NaN|\[object/);
    expect(row.data ?? {}).toEqual(event.data);
  });

  it('says of which participant, and how often', () => {
    const event: NewEvent = { ...place, kind: 'update-declined', data: { code: 'data-empty' }, participant };
    const row = eventRow({ ...event, count: 41 }, 5);
    expect(row.message).toBe('41 more: A participant could not train: data-empty.');
    expect(row.data).toEqual({ participant, code: 'data-empty', count: 41 });
    expect(eventRow({ ...place, kind: 'participant-left', data: {} }, 5).data).toBeNull();
  });

  it('stays within the length of a message', () => {
    const detail = 'x'.repeat(MAX_TEXT);
    const code = 'c'.repeat(60);
    const row = eventRow({ ...place, kind: 'update-refused', data: { code, detail }, count: 1e9 }, 5);
    expect(row.message.length).toBeLessThanOrEqual(2 * MAX_TEXT);
  });
});

it('docs/monitoring.md lists every kind with its fields', () => {
  const page = readFileSync(new URL('../../../../docs/monitoring.md', import.meta.url), 'utf8');
  const documented = new Map(
    [...page.matchAll(/^\| `([a-z-]+)` +\| (.*?) *\|/gm)].map(([, kind = '', fields = '']) => [
      kind,
      [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field),
    ]),
  );
  for (const kind of eventKinds) {
    const fields = new Set(sampleEvents[kind].flatMap((data) => Object.keys(data)));
    expect(new Set(documented.get(kind)), kind).toEqual(fields.has('detail') ? fields.add('facts') : fields);
  }
});
