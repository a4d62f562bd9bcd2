import { CoppiceError, type Release, type ReleaseNews } from '@coppice/protocol';
import { beforeEach, expect, it } from 'vitest';
import { taskPlace } from '../security/places.ts';
import { armOf, type Canary } from './arms.ts';
import { ReleaseAnnouncer } from './release-announcer.ts';

const participants = Array.from({ length: 40 }, (_, i) => `participant ${i}`);
const canary: Canary = {
  secret: 'a secret',
  share: 0.25,
  sequence: 2,
  checkpoint: 'iris-2/5',
  hash: 'cd'.repeat(32),
};
const production = { sequence: 1, checkpoint: 'iris-1/3', hash: 'ab'.repeat(32) } as const;
const move = (channel: Release['channel'], more: Partial<Release> = {}): Release => ({
  task: 'iris',
  sequence: 1,
  channel,
  checkpoint: 'iris-1/3',
  hash: production.hash,
  before: null,
  undoes: null,
  at: 0,
  by: { by: 'admin', name: 'ada' },
  reason: 'for a test',
  evidence: null,
  ...more,
});

let running: Map<string, Canary>;
let sent: { to: readonly string[]; news: ReleaseNews }[];
let moved: (release: Release) => void;
let came: (participant: string) => void;
let announcer: ReleaseAnnouncer;
/** Participants that the task does not admit. */
let refused: readonly string[];

beforeEach(async () => {
  running = new Map();
  refused = [];
  sent = [];
  announcer = new ReleaseAnnouncer({
    storage: { lastRelease: async (task) => (task === 'iris' ? move('production') : null) },
    releases: {
      subscribe: (listener) => {
        moved = listener;
        return () => {};
      },
    },
    canaries: { of: (task) => running.get(task) ?? null, all: () => running },
    offers: {
      of: () => participants,
      on: (_task, listener) => {
        came = listener;
        return () => {};
      },
    },
    admissions: {
      refusal: (participant, place) =>
        refused.includes(participant) && place === taskPlace('iris')
          ? new CoppiceError('run-not-admitted', 'Not on the list.')
          : null,
    },
    audience: { send: (to, _name, news) => void sent.push({ to, news: news as ReleaseNews }) },
  });
  await announcer.recover(['iris', 'digits']);
});

it('tells participants that monitor a task of its moves, each its arm and no other', () => {
  running.set('iris', canary);
  moved(move('canary', { sequence: 2, checkpoint: canary.checkpoint, hash: canary.hash }));
  expect(sent.flatMap(({ to }) => to).toSorted()).toEqual(participants.toSorted());
  const { sequence, checkpoint, hash } = canary;
  for (const { to, news } of sent)
    for (const participant of to)
      expect(news).toEqual({
        task: 'iris',
        production,
        canary: { sequence, checkpoint, hash, arm: armOf(canary, participant) },
      });
  expect(sent).toHaveLength(3);
  expect(JSON.stringify(sent)).not.toContain(canary.secret);
});

it('tells of a release to production, and of a canary that is over, the same to all', () => {
  moved(move('candidate', { sequence: 2 }));
  expect(sent).toEqual([]);
  const next = { sequence: 3, checkpoint: 'iris-2/5', hash: 'ef'.repeat(32) } as const;
  moved(move('production', next));
  expect(sent).toEqual([{ to: participants, news: { task: 'iris', production: next, canary: null } }]);
});

it('tells a participant that comes what is released now', () => {
  came('participant 3');
  expect(sent).toEqual([{ to: ['participant 3'], news: { task: 'iris', production, canary: null } }]);
});

it('has in the welcome the canaries that a participant has an arm of', () => {
  expect(announcer.welcome('participant 1')).toBeUndefined();
  running.set('iris', canary);
  for (const participant of participants) {
    const arm = armOf(canary, participant);
    const news = announcer.welcome(participant);
    if (arm === 'none') expect(news).toBeUndefined();
    else expect(news).toMatchObject([{ task: 'iris', production, canary: { arm, hash: canary.hash } }]);
  }
});

it('tells a participant nothing in the welcome of a task that does not admit it', () => {
  running.set('iris', canary);
  refused = participants;
  expect(participants.map((participant) => announcer.welcome(participant) ?? null)).toEqual(
    participants.map(() => null),
  );
});
