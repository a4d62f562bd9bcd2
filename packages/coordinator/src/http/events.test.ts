import { ManualClock } from '@coppice/ports';
import type { Event } from '@coppice/protocol';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { EVENT_WINDOW } from '../monitoring/event-log.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { EVENTS_A_PAGE } from '../storage/storage.ts';

const KEY = 'a-key-for-tests';
const clock = new ManualClock(1_760_000_000_000);
let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
    clock,
  });
});
afterAll(() => coordinator.close());

async function events(query: string): Promise<Event[]> {
  const response = await fetch(`${coordinator.url}/api/events?${query}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Event[];
}

it('gives every event to one that pages through, forwards and back, and says how many at a time', async () => {
  const event = { run: 'other-1', round: null, level: 'info', kind: 'k', message: 'm' } as const;
  await coordinator.storage.appendEvents(Array.from({ length: 3000 }, (_, at) => ({ ...event, at })));
  const all = Array.from({ length: 3000 }, (_, at) => at + 1);
  const read = async (direction: 'after' | 'before', from: number) => {
    const ids: number[] = [];
    for (;;) {
      const page = await events(`run=other-1&${direction}=${ids.at(-1) ?? from}`);
      if (page.length === 0) return ids;
      expect(page.length).toBeLessThanOrEqual(EVENTS_A_PAGE);
      ids.push(...page.map(({ id }) => id));
    }
  };
  expect(await read('after', 0)).toEqual(all);
  expect(await read('before', 3001)).toEqual(all.toReversed());
  expect((await events('run=other-1')).map(({ id }) => id)).toEqual(all.slice(-EVENTS_A_PAGE));
  const both = await fetch(`${coordinator.url}/api/events?after=1&before=9`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect([both.status, await both.json()]).toMatchObject([400, { error: { code: 'body-invalid' } }]);
  const document = await (await fetch(`${coordinator.url}/api/openapi.json`)).text();
  expect(document).toContain(`${EVENTS_A_PAGE} events at a time`);
});

it('holds a handful of rows for one participant that sends thousands of late updates', async () => {
  const { id: run } = await coordinator.runs.create('iris', { minParticipants: 9 }, true);
  const engine = coordinator.runs.engine(run);
  const participant = 'a'.repeat(32);
  const join = { run, device: 'headless', backend: 'cpu', examples: 5, speed: null, paused: false } as const;
  for (let n = 0; n < 500; n++) {
    engine.join(participant, join);
    engine.leave(participant);
  }
  engine.join(participant, join);
  const update = {
    run,
    round: 0,
    attempt: 1,
    checkpoint: '0'.repeat(64),
    examples: 5,
    loss: 1,
    evaluation: null,
    milliseconds: 1,
    frame: new Uint8Array(4),
  };
  for (let n = 0; n < 1000; n++) await engine.update(participant, update).catch(() => {});
  clock.advance(EVENT_WINDOW);
  await vi.waitFor(async () => {
    const rows = (await events(`run=${run}`)).filter(({ data }) => data?.participant === participant);
    const countOf = (kind: string) =>
      rows.filter((row) => row.kind === kind).reduce((sum, { data }) => sum + Number(data?.count ?? 1), 0);
    expect(countOf('update-refused')).toBe(1000);
    expect(countOf('participant-joined')).toBe(501);
    expect(countOf('participant-left')).toBe(500);
    expect(rows.length).toBeLessThanOrEqual(6);
    expect(rows.find(({ kind }) => kind === 'update-refused')?.data).toMatchObject({
      code: expect.stringMatching(/^(update|frame)-/),
    });
  });
});
