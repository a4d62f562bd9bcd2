import {
  CoppiceError,
  type Down,
  MAX_LISTED_RUNS,
  MAX_MESSAGE_BYTES,
  type Reply,
  type RunSummary,
  type UpValue,
  type Watch,
} from '@coppice/protocol';
import type { Socket } from 'socket.io-client';
import { afterEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newRun } from '../storage/new-run.testing.ts';
import { connectParticipant } from './participant.testing.ts';

let coordinator: Coordinator;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  await coordinator.close();
});

async function begin(storage = memoryStorage()): Promise<void> {
  coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage,
    spool: memorySpool(),
  });
}

interface Guest {
  readonly socket: Socket;
  readonly welcome: Down<'welcome'>;
  /** The `run` events that came. */
  readonly told: RunSummary[];
  watch(message: Watch): Promise<readonly RunSummary[]>;
  /** Resolves when a `run` event came that fits. */
  hears(fits: (run: RunSummary) => boolean): Promise<void>;
}

async function enter(): Promise<Guest> {
  const { socket, welcome } = await connectParticipant(coordinator.url);
  sockets.push(socket);
  const told: RunSummary[] = [];
  let heard = () => {};
  socket.on('run', ({ run }: Down<'run'>) => {
    told.push(run);
    heard();
  });
  return {
    socket,
    welcome,
    told,
    async watch(message) {
      const reply = (await socket.emitWithAck('watch', message)) as Reply<UpValue<'watch'>>;
      if (!reply.ok) throw CoppiceError.fromWire(reply.error);
      return reply.value.runs;
    },
    hears: (fits) =>
      new Promise((resolve) => {
        heard = () => {
          if (told.some(fits)) resolve();
        };
        heard();
      }),
  };
}

const create = () => coordinator.runs.create('iris', { minParticipants: 9 }, false);
const ids = (runs: readonly RunSummary[]) => runs.map(({ id }) => id);

it('the welcome stays small however many runs have ended, and lists those that have not', async () => {
  const storage = memoryStorage();
  for (let n = 0; n < 4000; n++)
    await storage.createRun(newRun(Float32Array.of(n), { status: 'finished', endedAt: 2 }));
  await begin(storage);
  const [first, second] = [await create(), await create()];
  const { welcome, watch } = await enter();
  expect(ids(welcome.runs)).toEqual([second.id, first.id]);
  expect(JSON.stringify(welcome).length).toBeLessThan(MAX_MESSAGE_BYTES / 100);
  // One that is over is told of to whoever names it.
  const [over, ...others] = await watch({ runs: ['toy-7', 'toy-4001'], arrivals: false });
  expect(over).toMatchObject({ id: 'toy-7', status: 'finished' });
  expect(others).toEqual([]);
});

it('of more runs than the welcome lists, those that run come before those that only wait', async () => {
  await begin();
  const oldest = await coordinator.runs.create('iris', { minParticipants: 9 }, true);
  for (let n = 0; n < MAX_LISTED_RUNS; n++) await create();
  const listed = ids((await enter()).welcome.runs);
  expect(listed).toHaveLength(MAX_LISTED_RUNS);
  expect(listed).not.toContain('iris-2');
  expect(listed.at(-1)).toBe(oldest.id);
});

it('changes of a run are told to those who joined or watch it, and to nobody else', async () => {
  await begin();
  const [mine, other] = [await create(), await create()];
  const guests = await Promise.all([enter(), enter(), enter(), enter()]);
  const [member, watcher, expecting, stranger] = guests as [Guest, Guest, Guest, Guest];
  const about = { device: 'headless', backend: 'cpu', examples: 1, speed: null, paused: false };
  expect(await member.socket.emitWithAck('join', { run: mine.id, ...about })).toMatchObject({ ok: true });
  expect(ids(await watcher.watch({ runs: [mine.id], arrivals: false }))).toEqual([mine.id]);
  // With arrivals, the runs that are not over are listed, too: none can come between welcome and watch unseen.
  expect(ids(await expecting.watch({ runs: [], arrivals: true }))).toEqual([other.id, mine.id]);

  await coordinator.runs.act(mine.id, 'start');
  const started = (run: RunSummary) => run.id === mine.id && run.status === 'running';
  await Promise.all([member, watcher, expecting].map(({ hears }) => hears(started)));
  await coordinator.runs.act(other.id, 'stop');
  await expecting.hears((run) => run.id === other.id && run.status === 'stopped');
  const late = await create();
  await expecting.hears((run) => run.id === late.id);

  // A head count is a change for those who watch the run, and no arrival.
  const before = expecting.told.length;
  await member.socket.emitWithAck('leave', { run: mine.id });
  await watcher.hears((run) => run.id === mine.id && run.status === 'running' && run.participants === 0);
  expect(expecting.told).toHaveLength(before);
  const elsewhere = [other.id, late.id];
  expect(member.told.filter(({ id }) => elsewhere.includes(id))).toEqual([]);
  expect(watcher.told.filter(({ id }) => elsewhere.includes(id))).toEqual([]);
  expect(stranger.told).toEqual([]);
});

it('a watch takes the place of the one before', async () => {
  await begin();
  const [one, two] = [await create(), await create()];
  const [watcher, witness] = await Promise.all([enter(), enter()]);
  await watcher.watch({ runs: [one.id], arrivals: true });
  await watcher.watch({ runs: [two.id], arrivals: false });
  await witness.watch({ runs: [one.id], arrivals: false });
  await coordinator.runs.act(one.id, 'start');
  await witness.hears(({ status }) => status === 'running');
  await coordinator.runs.act(two.id, 'start');
  await watcher.hears(({ status }) => status === 'running');
  expect(new Set(ids(watcher.told))).toEqual(new Set([two.id]));
});

it('more runs than may be watched are refused', async () => {
  await begin();
  const { watch } = await enter();
  const runs = Array.from({ length: 33 }, (_, n) => `iris-${n}`);
  await expect(watch({ runs, arrivals: false })).rejects.toMatchObject({ code: 'message-invalid' });
});
