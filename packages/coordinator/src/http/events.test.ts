import { ManualClock } from '@coppice/ports';
import type { Event } from '@coppice/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
  const document = await (await fetch(`${coordinator.url}/api/openapi.json`)).json();
  const { summary, parameters } = document.paths['/api/events'].get;
  expect(summary).toContain(`${EVENTS_A_PAGE} events at a time`);
  expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['run', 'after', 'before']);
});

it('holds a handful of rows for one participant that joins and leaves hundreds of times', async () => {
  const { id: run } = await coordinator.runs.create('iris', { minParticipants: 9 }, true);
  const engine = coordinator.runs.engine(run);
  const participant = 'a'.repeat(32);
  const join = { run, device: 'headless', backend: 'cpu', examples: 5, speed: null, paused: false } as const;
  for (let n = 0; n < 500; n++) {
    engine.join(participant, join);
    engine.leave(participant);
  }
  engine.join(participant, join);
  clock.advance(EVENT_WINDOW);
  const rows = async () =>
    (await events(`run=${run}`)).filter(({ data }) => data?.participant === participant);
  const counts = async (kind: string) =>
    (await rows())
      .filter((row) => row.kind === kind)
      .reduce((sum, { data }) => sum + Number(data?.count ?? 1), 0);
  await expect.poll(() => counts('participant-joined')).toBe(501);
  await expect.poll(() => counts('participant-left')).toBe(500);
  expect((await rows()).length).toBeLessThanOrEqual(4);
});
