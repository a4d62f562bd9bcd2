import { consentVersion, identityOf } from '@coppice/continuity';
import { builtInTask } from '@coppice/datasets';
import { ManualClock } from '@coppice/ports';
import type { NewTaskInvitation, Reply, Task, TaskAsk, Up, UpValue, WatchedPeriod } from '@coppice/protocol';
import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Spool } from '../storage/spool.ts';
import type { Storage } from '../storage/storage.ts';
import { agreedReference, drawReport, reportAnswer } from '../watch/report.testing.ts';
import { release, watching } from '../watch/watched.testing.ts';
import { type Connected, connectParticipant, newKeys, next } from './participant.testing.ts';

const KEY = 'a-key-for-tests';
const DAY = 24 * 3600 * 1000;
const EPOCH = 1_760_000_000_000;
const iris = builtInTask('iris') as Task;
const reference = agreedReference(iris);
const terms = {
  binning: reference,
  periodMilliseconds: DAY,
  minimum: watching.watch.minimum,
};
const offer: Up<'monitor'> = {
  task: 'iris',
  consent: consentVersion(terms),
  recipe: reference.recipe,
};
let clock: ManualClock;
let coordinator: Coordinator;
let storage: Storage;
let spool: Spool;
let connections: Connected[];

beforeEach(async () => {
  clock = new ManualClock(EPOCH);
  storage = memoryStorage();
  spool = memorySpool();
  connections = [];
  await start();
});
afterEach(async () => {
  for (const { socket } of connections) socket.disconnect();
  await coordinator.close();
});

async function start(): Promise<void> {
  const config = { port: 0, adminKey: KEY, logLevel: 'silent' } as const;
  coordinator = await startCoordinator({ config, storage, spool, clock });
}
/** Watches the task from now on: its reference is made already. */
const watched = async () => {
  await release(storage, iris, reference);
  await call('PUT', 'policy', { expected: null, policy: watching });
  await expect.poll(() => coordinator.monitored.isWatched('iris')).toBe(true);
};
const connect = async () => {
  const made = await connectParticipant(coordinator.url);
  connections.push(made);
  return made;
};
const monitor = (socket: Socket, more: Partial<Up<'monitor'>> = {}): Promise<Reply<UpValue<'monitor'>>> =>
  socket.emitWithAck('monitor', { ...offer, ...more });
/** Offers reports, and waits for the question that comes with the reply. */
const question = async ({ socket }: Connected): Promise<TaskAsk> => {
  const asked = next<TaskAsk>(socket, 'ask');
  expect(await monitor(socket)).toEqual({
    ok: true,
    value: { watched: true, ticket: expect.stringMatching(/^offer-/) },
  });
  return asked;
};
const report = (
  { socket, id }: Connected,
  { ticket }: TaskAsk,
  drawn = id,
): Promise<Reply<UpValue<'answer'>>> => {
  const { run: _run, ...answer } = reportAnswer(drawReport(drawn, { of: reference }), reference, ticket);
  return socket.emitWithAck('answer', { ...answer, task: 'iris' });
};
const call = async <T>(method: string, path: string, body: object) => {
  const response = await fetch(`${coordinator.url}/api/tasks/iris/${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
};
const refusal = (code: string) => ({ ok: false, error: expect.objectContaining({ code }) });

it('asks participants that monitor a watched task once a period, and counts their reports', async () => {
  await watched();
  const [a, b] = [await connect(), await connect()];
  const asked = await question(a);
  expect(asked).toEqual({
    task: 'iris',
    kind: 'report',
    ticket: expect.any(String),
    period: 0,
    remaining: DAY,
    reference: identityOf(reference),
    models: [],
    since: null,
  });
  expect(await report(a, asked)).toEqual({ ok: true, value: { duplicate: false, next: null } });
  expect(await report(a, asked)).toEqual({ ok: true, value: { duplicate: true, next: null } });
  expect(await report(b, asked)).toEqual(refusal('ticket-invalid'));
  expect(await report(b, await question(b))).toMatchObject({ ok: true });
  const second = next<TaskAsk>(b.socket, 'ask');
  a.socket.disconnect();
  clock.advance(DAY);
  const { period, ticket } = await second;
  expect([period, ticket === asked.ticket]).toEqual([1, false]);
  const [first, ...others] = await storage.periods('iris');
  expect(others).toEqual([]);
  expect(first).toMatchObject({ period: 0, startedAt: EPOCH, endedAt: EPOCH + DAY, reports: 2 });
  expect(first?.sums?.['reports']).toEqual([2]);
  const response = await fetch(`${coordinator.url}/api/tasks/iris/drift`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect((await response.json()) as WatchedPeriod[]).toEqual([first]);
  expect(await report(b, asked)).toEqual(refusal('ticket-invalid'));
});

it('counts one report of an identity with two connections, and answers the one that is left', async () => {
  await watched();
  const keys = newKeys();
  const both = async () => {
    const made = await connectParticipant(coordinator.url, ['websocket'], keys);
    connections.push(made);
    return made;
  };
  const first = await both();
  const asked = await question(first);
  const ended = next<string>(first.socket, 'disconnect');
  const notice = next<{ code: string }>(first.socket, 'notice');
  // The earlier connection ends when the later one proves who it is, whichever report comes first.
  const early = report(first, asked, 'early').catch(() => null);
  const second = await both();
  const late = await report(second, asked, 'late');
  await ended;
  expect(await notice).toMatchObject({ code: 'session-replaced' });
  const taken = [await early, late].flatMap((reply) => (reply?.ok === true ? reply.value.duplicate : []));
  expect(late.ok).toBe(true);
  expect(taken.filter((isDuplicate) => !isDuplicate).length).toBeLessThanOrEqual(1);
  expect(await report(second, asked, 'once more')).toMatchObject({ ok: true, value: { duplicate: true } });
  clock.advance(DAY);
  await expect.poll(() => storage.periods('iris', {})).toMatchObject([{ reports: 1 }]);
});

it('takes offers of watched tasks alone, with the consent and the reference of now', async () => {
  const { socket, id } = await connect();
  expect(await monitor(socket)).toEqual({
    ok: true,
    value: { watched: false, ticket: expect.stringMatching(/^offer-/) },
  });
  expect(await monitor(socket, { task: 'none' })).toEqual(refusal('task-unknown'));
  const late = reportAnswer(drawReport(id, { of: reference }), reference);
  const answer = { ...late, run: undefined, task: 'iris' };
  expect(await socket.emitWithAck('answer', answer)).toEqual(refusal('update-late'));
  // Neither, and both: strictly one of the two.
  const { run: _run, ...neither } = late;
  expect(await socket.emitWithAck('answer', neither)).toEqual(refusal('message-invalid'));
  expect(await socket.emitWithAck('answer', { ...late, task: 'iris' })).toEqual(refusal('message-invalid'));
  await watched();
  const other = 'ef'.repeat(32);
  expect(await monitor(socket, { consent: other })).toEqual(refusal('consent-outdated'));
  expect(await monitor(socket, { recipe: other })).toEqual(refusal('report-mismatch'));
});

it('admits by the list and the invitations of the task', async () => {
  await watched();
  await call('PUT', 'admission', { admission: 'invited' });
  const { secret } = await call<NewTaskInvitation>('POST', 'invitations', { uses: 1 });
  const [a, b] = [await connect(), await connect()];
  expect(await monitor(a.socket)).toEqual(refusal('run-not-admitted'));
  expect(await monitor(a.socket, { invitation: 'join-wrong' })).toEqual(refusal('invitation-invalid'));
  expect(await monitor(a.socket, { invitation: secret })).toEqual({
    ok: true,
    value: { watched: true, ticket: expect.stringMatching(/^offer-/) },
  });
  expect(await monitor(b.socket, { invitation: secret })).toEqual(refusal('invitation-invalid'));
  // Admitted by now, without it.
  expect(await report(a, await question(a))).toMatchObject({ ok: true });
});

it('goes on after a restart with the reports of the open period, and with the number after the last', async () => {
  await watched();
  const a = await connect();
  expect(await report(a, await question(a))).toMatchObject({ ok: true });
  await coordinator.close();
  clock.advance(DAY / 2);
  await start();
  const again = await connect();
  expect(await report(again, await question(again))).toMatchObject({ ok: true });
  const following = nextPeriod(again);
  clock.advance(DAY / 2);
  expect(await following).toBe(1);
  expect(await storage.periods('iris')).toMatchObject([{ period: 0, startedAt: EPOCH, reports: 2 }]);
  await coordinator.close();
  await start();
  expect((await question(await connect())).period).toBe(1);
});

const nextPeriod = async ({ socket }: Connected) => (await next<TaskAsk>(socket, 'ask')).period;
