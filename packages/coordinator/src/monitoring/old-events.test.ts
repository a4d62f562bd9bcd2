import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Event, knownEvent } from '@coppice/protocol';
import { sampleEvents } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { memoryBlobs } from '../storage/memory-blobs.ts';
import { nodeSqliteDialect } from '../storage/node-sqlite-dialect.ts';
import type { Tables } from '../storage/schema.ts';
import { sqlStorage } from '../storage/sql.ts';
import { sqliteFlavour } from '../storage/sqlite.ts';
import { eventRow } from './event-row.ts';
import { withData } from './old-events.ts';

/** Sentences as versions before typed data wrote them, and the data that they leave no doubt of; `null`: none. */
const written: readonly (readonly [kind: string, message: string, data: Event['data']])[] = [
  ['run-running', 'The run is running.', null],
  ['run-stopped', 'The run was stopped.', null],
  ['run-paused', 'The run is paused: the open round ends, no other begins.', null],
  [
    'run-paused',
    'The run is paused until an admin resumes it: The training diverged on 3 of the 4 devices that were asked: a loss or an update was not finite, or too large. A smaller learning rate may help.',
    {
      code: 'training-diverged',
      detail:
        'The training diverged on 3 of the 4 devices that were asked: a loss or an update was not finite, or too large. A smaller learning rate may help.',
      facts: { on: 'devices', diverged: 3, asked: 4 },
    },
  ],
  ['run-finished', 'The run is finished after 20 rounds.', { rounds: 20 }],
  ['run-finished', 'The run is finished.', null],
  ['run-recovered', 'The run goes on from round 6 after a restart of the coordinator.', { next: 7 }],
  ['run-failed', 'The run failed: The disk is full.', null],
  ['participant-joined', 'A participant joined (browser, webgl).', { device: 'browser', backend: 'webgl' }],
  ['participant-joined', 'A participant joined (toaster, webgl).', null],
  ['participant-left', 'A participant left.', null],
  [
    'participant-put-out',
    'A participant was put out of the run (run-not-admitted).',
    { code: 'run-not-admitted' },
  ],
  ['update-declined', 'A participant could not train: data-empty.', { code: 'data-empty' }],
  [
    'update-refused',
    'An update for round 7 was refused (update-norm): It is 12 long: too long.',
    { code: 'update-norm', detail: 'It is 12 long: too long.' },
  ],
  // Of another round than the event is filed under.
  ['update-refused', 'An update for round 6 was refused (update-late): Too late.', null],
  ['round-started', 'Round 7 began: 13 asked, 10 wanted.', { asked: 13, target: 10 }],
  [
    'round-recovered',
    'Round 7 goes on after a restart: 4 of 10 wanted updates were already here.',
    { accepted: 4, target: 10 },
  ],
  ['round-ended-by-admin', 'Round 7 was ended by the admin.', null],
  [
    'round-committed',
    'Round 7 committed · 10 of 13 returned · 16.3 MB · accuracy 91.2 %',
    { accepted: 10, asked: 13, bytes: 16_300_000, accuracy: 0.912 },
  ],
  [
    'round-committed',
    'Round 7 committed · 10 of 13 returned · 0.0 MB',
    { accepted: 10, asked: 13, bytes: null, accuracy: null },
  ],
  [
    'round-abandoned',
    'Round 7 was abandoned, the model stays as it was: 1 of 3 needed updates came before the deadline.',
    {
      code: 'quorum-lost',
      detail: '1 of 3 needed updates came before the deadline.',
      facts: { accepted: 1, quorum: 3, deadline: true },
    },
  ],
  [
    'round-abandoned',
    'Round 7 was abandoned, the model stays as it was: 1 of 3 needed updates came, and too few participants are left.',
    {
      code: 'quorum-lost',
      detail: '1 of 3 needed updates came, and too few participants are left.',
      facts: { accepted: 1, quorum: 3, deadline: false },
    },
  ],
  [
    'round-abandoned',
    'Round 7 was abandoned, the model stays as it was: The training diverged on every device: the loss is not a number. A smaller learning rate may help.',
    {
      code: 'training-diverged',
      detail:
        'The training diverged on every device: the loss is not a number. A smaller learning rate may help.',
    },
  ],
  ['round-abandoned', 'Round 7 was abandoned, the model stays as it was: The disk is full.', null],
  [
    'spool-damaged',
    'A stored update for round 7 could not be used (frame-invalid): It is damaged.',
    { code: 'frame-invalid', detail: 'It is damaged.' },
  ],
  ['spool-damaged', 'The file cannot be read.', null],
  ['storage-failed', 'The disk is full.', null],
  [
    'storage-refused',
    'Storage refused a write at 2026-11-03T09:30:00.000Z (storage-full), and takes writes again.',
    { code: 'storage-full', since: Date.parse('2026-11-03T09:30:00Z') },
  ],
];

it('rows of a database of version 3 get the data back that their text leaves no doubt of', async () => {
  const database = new DatabaseSync(':memory:');
  const fixture = new URL('../storage/migrations/fixtures/v3.sql', import.meta.url);
  database.exec(readFileSync(fixture, 'utf8'));
  database.exec('delete from event');
  const add = database.prepare(
    'insert into event (at, run, round, level, kind, message) values (?, ?, ?, ?, ?, ?)',
  );
  for (const [kind, message] of written) add.run(5, 'toy-1', 7, 'info', kind, message);
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
  const storage = await sqlStorage(db, { blobs: memoryBlobs(), flavour: sqliteFlavour, where: 'a test' });
  const stored = await storage.events({});
  expect(stored.every(({ data }) => data === null)).toBe(true);
  const read = stored.map(withData);
  expect(read.map(({ kind, message, data }) => [kind, message, data])).toEqual(written);
  for (const event of read) if (event.data !== null) expect(knownEvent(event)?.data).toEqual(event.data);
  await storage.close();
});

describe('a row of a version between', () => {
  const participant = '0'.repeat(32);
  const row = { id: 1, at: 5, run: 'toy-1', round: 7, level: 'warning' } as const;

  it('keeps what it has, and gets what it lacks', () => {
    const message = '5 more: An update for round 7 was refused (update-norm): Too long.';
    const data = { code: 'update-norm', round: 7, participant, count: 5 };
    expect(withData({ ...row, kind: 'update-refused', message, data }).data).toEqual({
      ...data,
      detail: 'Too long.',
    });
  });

  it('is left as it is where the text is of something else', () => {
    for (const [message, count] of [
      ['4 more: An update for round 7 was refused (update-norm): Too long.', 5],
      ['An update for round 7 was refused (update-norm): Too long.', 5],
      ['Something else.', undefined],
    ] as const) {
      const data = { code: 'update-norm', ...(count === undefined ? {} : { count }) };
      const event = { ...row, kind: 'update-refused', message, data };
      expect(withData(event)).toBe(event);
    }
  });
});

it('a row of this version is read as it was written', () => {
  for (const [kind, samples] of Object.entries(sampleEvents))
    for (const data of samples) {
      const place = { run: 'toy-1', round: 7, level: 'info' } as const;
      const row = eventRow({ ...place, kind, data } as never, 5);
      const event: Event = { id: 1, ...row, data: row.data ?? null };
      expect(withData(event)).toBe(event);
    }
});

it('any text gives data of its kind, or none', () => {
  const kinds = [...new Set(written.map(([kind]) => kind)), 'constructor', '__proto__'];
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom(...written.map(([, message]) => message)),
    fc
      .tuple(
        fc.constantFrom(...written.map(([, message]) => message)),
        fc.nat(200),
        fc.string({ maxLength: 3 }),
      )
      .map(([message, at, more]) => message.slice(0, at) + more + message.slice(at)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...kinds), texts, (kind, message) => {
      const event: Event = { id: 1, at: 5, run: null, round: 7, level: 'info', kind, message, data: null };
      const read = withData(event);
      expect(read).toMatchObject({ kind, message });
      if (read.data !== null) expect(knownEvent(read)?.data).toEqual(read.data);
    }),
  );
});
