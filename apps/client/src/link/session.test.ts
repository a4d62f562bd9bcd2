import { initialState } from '@coppice/participant/session-state';
import { describe, expect, it } from 'vitest';
import { session, takeState } from './session.ts';

describe('takeState', () => {
  it('tells only the fields that changed, though every state is a fresh copy', () => {
    takeState(initialState);
    const told: string[] = [];
    const stops = (['runs', 'peers', 'activity', 'sent', 'outbound'] as const).map((key) =>
      session[key].subscribe(() => told.push(key)),
    );
    told.length = 0;
    const next = structuredClone(initialState);
    takeState({ ...next, activity: { kind: 'waiting' } });
    expect(told).toEqual(['activity']);
    const record = { at: 1, name: 'join', bytes: 80, fields: { run: 'a' } };
    takeState({ ...structuredClone(next), activity: { kind: 'waiting' }, outbound: [record] });
    expect(told).toEqual(['activity', 'outbound']);
    // The log keeps its last hundred: the same length, another end.
    takeState({ ...structuredClone(next), activity: { kind: 'waiting' }, outbound: [{ ...record, at: 2 }] });
    expect(session.outbound.value[0]?.at).toBe(2);
    for (const stop of stops) stop();
  });
});
