import type { OutboundRecord, Session, SessionState } from '@coppice/participant';
import { initialState } from '@coppice/participant/session-state';
import type { ReleaseNews } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { DeviceEvent } from './device.ts';
import { sessionDevice } from './session-device.ts';

/* What a session's states tell the pages of a device. */

const news: ReleaseNews = { task: 'iris', production: null, canary: null };
const monitored = {
  offered: true,
  watched: true,
  pass: null,
  info: null,
  observations: 0,
  labelled: 0,
  reported: null,
  answered: 0,
  withheld: 0,
  error: null,
};
const record = (name: string, more: Partial<OutboundRecord> = {}): OutboundRecord => ({
  at: 1,
  name,
  bytes: 100,
  fields: { task: 'iris' },
  ...more,
});

/** A session of which only the state is known. */
function device(first: Partial<SessionState> = {}) {
  let state: SessionState = { ...initialState, ...first };
  let changed: (state: SessionState) => void = () => {};
  const session = {
    get state() {
      return state;
    },
    subscribe(listener: typeof changed) {
      changed = listener;
      return () => {};
    },
  } as unknown as Session;
  const events: DeviceEvent[] = [];
  sessionDevice({
    url: 'https://coppice.example',
    session,
    openData: async () => {
      throw new Error('nothing is added');
    },
    close: () => {},
  }).subscribe((event) => events.push(event));
  return {
    /** The events of a change. */
    set(change: Partial<SessionState>): DeviceEvent[] {
      events.length = 0;
      state = { ...state, ...change };
      changed(state);
      return [...events];
    },
    events,
  };
}

it('tells of releases and of what is monitored, by task, as they change', () => {
  const { set, events } = device({ releases: { iris: news } });
  expect(events).toEqual([{ kind: 'release', task: 'iris', news }]);
  expect(set({ monitored: { iris: monitored } })).toEqual([
    { kind: 'monitored', task: 'iris', state: monitored },
  ]);
  expect(set({ connection: 'offline' })).toEqual([]);
  expect(set({ releases: {}, monitored: {} })).toEqual([
    { kind: 'release', task: 'iris', news: null },
    { kind: 'monitored', task: 'iris', state: null },
  ]);
});

it('tells each message once, with what it tells', () => {
  const before = record('monitor');
  const { set } = device({ outbound: [before] });
  const answers = ['report', 'statistics', 'compare'].map((question) => record('answer', { question }));
  const told = set({ outbound: [before, ...answers] });
  expect(
    told.map((event) => event.kind === 'sent' && [event.task, event.sent.kind, event.sent.bytes]),
  ).toEqual([
    ['iris', 'report', 100],
    ['iris', 'statistics', 100],
    ['iris', 'comparison', 100],
  ]);
  expect(set({ outbound: [before, ...answers] })).toEqual([]);
  const run = { id: 'iris-1', task: 'iris' } as SessionState['runs'][number];
  const update = record('answer', { fields: { run: 'iris-1' }, norm: 1 });
  const measures = record('answer', { fields: { run: 'iris-1' } });
  expect(set({ runs: [run], outbound: [...answers, update, measures] })).toMatchObject([
    { task: 'iris', sent: { kind: 'update' } },
    { task: 'iris', sent: { kind: 'measures' } },
  ]);
  set({ outbound: answers });
  const [offer, other] = set({
    outbound: [...answers.slice(1), record('monitor'), record('watch', { fields: {} })],
  });
  expect(offer).toMatchObject({
    task: 'iris',
    sent: { kind: 'offer', tells: expect.stringContaining('consent') },
  });
  expect(other).toMatchObject({ task: null, sent: { kind: 'watch' } });
});
