import { describe, expect, it } from 'vitest';
import { knownFailure } from '../failure.ts';
import { sampleEvents, sampleFacts } from '../testing/event-samples.ts';
import { type EventKind, eventKinds, knownEvent } from './event-data.ts';

describe('knownEvent', () => {
  it.each(eventKinds)('reads the data of %s, without what it does not know', (kind: EventKind) => {
    for (const data of sampleEvents[kind]) {
      expect(knownEvent({ kind, data: { ...data, participant: 'p', count: 3, newer: true } })).toEqual({
        kind,
        data,
      });
    }
  });

  it('is nothing for a kind or data of another version', () => {
    expect(knownEvent({ kind: 'something-new', data: {} })).toBeNull();
    expect(knownEvent({ kind: 'constructor', data: {} })).toBeNull();
    expect(knownEvent({ kind: 'round-started', data: null })).toBeNull();
    expect(knownEvent({ kind: 'round-started', data: { asked: 'five', target: 4 } })).toBeNull();
    expect(knownEvent({ kind: 'participant-left', data: null })).toEqual({
      kind: 'participant-left',
      data: {},
    });
  });
});

describe('knownFailure', () => {
  it('reads the facts of a code', () => {
    for (const [code, samples] of Object.entries(sampleFacts))
      for (const facts of samples)
        expect(knownFailure(code, { ...facts, newer: 1 })).toEqual({ code, facts });
  });

  it('is nothing for a code without facts, or facts of another version', () => {
    expect(knownFailure('storage-full', {})).toBeNull();
    expect(knownFailure('toString', {})).toBeNull();
    expect(knownFailure('quorum-lost', undefined)).toBeNull();
    expect(knownFailure('quorum-lost', { accepted: -1, quorum: 2, deadline: true })).toBeNull();
  });
});
