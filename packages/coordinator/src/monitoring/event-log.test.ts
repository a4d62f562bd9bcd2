import { ManualClock } from '@coppice/ports';
import { EventSchema, type KnownEvent } from '@coppice/protocol';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { KINDS_A_SENDER } from './coalescing.ts';
import { EVENT_WINDOW, EventLog } from './event-log.ts';
import type { NewEvent } from './new-event.ts';

const id = (n: number) => n.toString(16).padStart(32, '0');

function world(kept?: number) {
  const clock = new ManualClock(1_000_000);
  const storage = memoryStorage();
  const logged: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const log = new EventLog(storage, clock, logger, kept);
  const rows = async () => {
    await log.flush();
    return storage.events({ after: 0, limit: 1_000_000 });
  };
  return { clock, storage, log, logged, rows };
}

const circumstances = { run: 'iris-1', round: 3, level: 'warning' } as const;
const late = (participant: string): NewEvent => ({
  ...circumstances,
  kind: 'update-refused',
  participant,
  data: { code: 'update-late', detail: 'The round has closed.' },
});

describe('events about one participant', () => {
  it('are a handful of rows with a count, however many there are', async () => {
    const { clock, log, logged, rows } = world();
    // 95 a second for 30 seconds.
    for (let n = 0; n < 2880; n++) {
      log.add(late(id(1)));
      if (n % 96 === 95) clock.advance(1000);
    }
    log.add(late(id(2)));
    const [first, other, rest, ...more] = await rows();
    expect(first).toMatchObject({ data: { participant: id(1), code: 'update-late' } });
    expect(first?.data?.count).toBeUndefined();
    expect(other).toMatchObject({ data: { participant: id(2) } });
    expect(rest).toMatchObject({ kind: 'update-refused', data: { participant: id(1), count: 2879 } });
    expect(rest?.message).toContain('2879 more');
    expect(more).toEqual([]);
    expect(logged).toHaveLength(3);
  });

  it('are one row a window while they go on, and written at once again after a quiet one', async () => {
    const { clock, storage, log } = world();
    const counts = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return (await storage.events({ after: 0 })).map(({ data }) => data?.count ?? 1);
    };
    for (let window = 0; window < 3; window++) {
      for (let n = 0; n < 10; n++) log.add(late(id(1)));
      clock.advance(EVENT_WINDOW);
    }
    expect(await counts()).toEqual([1, 9, 10, 10]);
    clock.advance(2 * EVENT_WINDOW);
    log.add(late(id(1)));
    expect(await counts()).toEqual([1, 9, 10, 10, 1]);
  });

  it('are all counted, and bounded in number, whatever they are', async () => {
    const event = fc.record({
      participant: fc.constantFrom(id(1), id(2), undefined),
      run: fc.constantFrom('iris-1', 'iris-2'),
      what: fc.constantFrom<KnownEvent>(
        ...['update-late', 'update-norm', 'frame-invalid', 'data-empty'].flatMap((code): KnownEvent[] => [
          { kind: 'update-refused', data: { code, detail: '' } },
          { kind: 'update-declined', data: { code } },
        ]),
        { kind: 'participant-joined', data: { device: 'browser', backend: 'wasm' } },
      ),
      after: fc.constantFrom(0, 0, 0, 1000, EVENT_WINDOW / 2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 200 }), async (events) => {
        const { clock, log, rows } = world();
        let windows = 1;
        let elapsed = 0;
        for (const { participant, run, what, after } of events) {
          const bare: NewEvent = { ...circumstances, run, ...what };
          log.add(participant === undefined ? bare : { ...bare, participant });
          clock.advance(after);
          elapsed += after;
        }
        windows += Math.ceil(elapsed / EVENT_WINDOW);
        const stored = await rows();
        for (const row of stored) expect(EventSchema.safeParse(row).error).toBeUndefined();
        for (const participant of [id(1), id(2)]) {
          const own = stored.filter(({ data }) => data?.participant === participant);
          const total = own.reduce((sum, { data }) => sum + Number(data?.count ?? 1), 0);
          expect(total).toBe(events.filter((one) => one.participant === participant).length);
          expect(own.length).toBeLessThanOrEqual((2 * KINDS_A_SENDER + 1) * windows);
        }
        // What concerns no participant is written as it comes.
        const others = stored.filter(({ data }) => data?.participant === undefined);
        expect(others).toHaveLength(events.filter((one) => one.participant === undefined).length);
      }),
      { numRuns: 100, seed: 11 },
    );
  });
});

it('keeps the newest events, and deletes the oldest', async () => {
  const { log, rows } = world(2000);
  for (let n = 0; n < 5000; n++)
    log.add({ run: null, round: null, level: 'info', kind: 'run-finished', data: { rounds: n } });
  const stored = await rows();
  expect(stored.length).toBeGreaterThanOrEqual(2000);
  expect(stored.length).toBeLessThanOrEqual(3000);
  expect(stored.at(-1)).toMatchObject({ id: 5000, data: { rounds: 4999 } });
  expect(stored.map(({ id }) => id)).toEqual(stored.map((_, at) => 5000 - stored.length + 1 + at));
});
