import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@coppice/ports';
import {
  type Admission,
  type Ask,
  type AuditEntry,
  type Ban,
  type Down,
  type Joined,
  layoutSize,
  type NewRunInvitation,
  PROTOCOL_VERSION,
  proofBytes,
  type Reply,
  type Run,
  type RunAdmission,
  type RunSummary,
  weightsHash,
} from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { threadedModels } from '../model-worker/threaded-models.ts';
import { trainFrame } from '../rounds/run-world.ts';
import { backUp, restore } from '../storage/backup.ts';
import { openSqliteStorage } from '../storage/sqlite.ts';
import type { RunRecord, StoredModel } from '../storage/storage.ts';

const KEY = 'a-key-for-tests';
const DAY = 24 * 60 * 60 * 1000;
let folder: string;
let coordinator: Coordinator;
let models: ModelWorker;
const clock = new ManualClock(1_760_000_000_000);
const sockets = new Set<Socket>();
/** Waited for before an invitation is used. */
let holdUse = async () => {};

const start = async () => {
  const dataDir = join(folder, 'data');
  const storage = await openSqliteStorage(dataDir);
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent', dataDir },
    clock,
    models: { ...models, close: async () => {} },
    storage: new Proxy(storage, {
      get: (target, name: keyof typeof storage) =>
        name !== 'useRunInvitation'
          ? target[name]
          : async (use: Parameters<typeof target.useRunInvitation>[0]) => {
              await holdUse();
              return target.useRunInvitation(use);
            },
    }),
  });
};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-admissions-'));
  models = threadedModels();
  await start();
});
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await coordinator.close();
  await models.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call<T = unknown>(
  method: string,
  path: string,
  { body, key = KEY }: { body?: unknown; key?: string | null } = {},
) {
  const response = await fetch(coordinator.url + path, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as T };
}

const launch = async (admission: Admission | null, plan: object = {}) =>
  (
    await call<Run>('POST', '/api/runs', {
      body: {
        task: 'iris',
        plan: { rounds: 3, minParticipants: 2, quorum: 0.5, overSelection: 1, ...plan },
        ...(admission === null ? {} : { admission }),
      },
    })
  ).body;
const invite = async (run: string, body: object = {}) =>
  (await call<NewRunInvitation>('POST', `/api/runs/${run}/invitations`, { body })).body;
const describe = async (run: string) => (await call<RunAdmission>('GET', `/api/runs/${run}/admission`)).body;

interface Someone {
  readonly id: string;
  readonly socket: Socket;
  /** The answer to `prove`. */
  readonly proved: Promise<Reply<null>>;
  readonly welcome: Promise<Down<'welcome'>>;
}

function connect(name: string): Someone {
  const curve = createECDH('prime256v1');
  const secret = createHash('sha256').update(name).digest();
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const socket = io(`${coordinator.url}/participant`, {
    transports: ['websocket'],
    auth: { protocol: PROTOCOL_VERSION, key: point.toString('base64url') },
    forceNew: true,
    reconnection: false,
  });
  sockets.add(socket);
  const proved = new Promise<Reply<null>>((resolve) => {
    socket.once('challenge', ({ nonce }: { nonce: string }) => {
      const jwk = {
        kty: 'EC',
        crv: 'P-256',
        x: point.subarray(1, 33).toString('base64url'),
        y: point.subarray(33).toString('base64url'),
        d: secret.toString('base64url'),
      };
      const key = createPrivateKey({ format: 'jwk', key: jwk });
      const bytes = proofBytes(new URL(coordinator.url).host, nonce);
      const signature = sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
      void socket.emitWithAck('prove', { signature }).then(resolve, () => {});
    });
  });
  const id = createHash('sha256').update(point).digest('hex').slice(0, 32);
  return { id, socket, proved, welcome: next(socket, 'welcome') };
}

const next = <T>(socket: Socket, event: string) => new Promise<T>((resolve) => socket.once(event, resolve));

async function here(name: string): Promise<Someone> {
  const someone = connect(name);
  await someone.welcome;
  return someone;
}

const enter = ({ socket }: Someone, run: string, invitation?: string): Promise<Reply<Joined>> =>
  socket.emitWithAck('join', {
    run,
    device: 'headless',
    backend: 'cpu',
    examples: 10,
    speed: null,
    paused: false,
    ...(invitation === undefined ? {} : { invitation }),
  });
const codeOf = (reply: Reply<unknown>) => (reply.ok ? 'ok' : reply.error.code);

/** An answer of small changes to a question. */
function answerTo(joined: Joined, { run, ticket }: Ask) {
  const values = new Float32Array(layoutSize(joined.layout)).fill(1 / 1024);
  return {
    run,
    ticket,
    weight: 10,
    milliseconds: 5,
    frame: trainFrame(joined.answers.train, [values], { weight: 10, evaluation: null }),
  };
}

it('a run is open unless it is said otherwise, and an open run looks at no invitation', async () => {
  const run = await launch(null);
  expect(run.admission).toBe('open');
  const someone = await here('open');
  expect(codeOf(await enter(someone, run.id, 'join-of-no-worth'))).toBe('ok');
  expect((await describe(run.id)).listed).toEqual([]);
  someone.socket.disconnect();
});

it('an invited run lets in by its link, keeps who came, and nobody else', async () => {
  const run = await launch('invited');
  const made = await invite(run.id, { label: 'ward 3', uses: 1, days: 2 });
  expect(made.link).toBe(`${coordinator.url}/?run=${run.id}#invite=${made.secret}`);
  expect(made).toMatchObject({ uses: 0, maxUses: 1, expiresAt: clock.now() + 2 * DAY });
  const stranger = await here('stranger');
  expect(codeOf(await enter(stranger, run.id))).toBe('run-not-admitted');
  expect(codeOf(await stranger.socket.emitWithAck('pull', { run: run.id }))).toBe('run-not-admitted');
  expect(codeOf(await enter(stranger, run.id, 'join-guessed'))).toBe('invitation-invalid');
  const elsewhere = await launch('invited');
  const other = await invite(elsewhere.id);
  expect(codeOf(await enter(stranger, run.id, other.secret))).toBe('invitation-invalid');

  const guest = await here('guest');
  expect(codeOf(await enter(guest, run.id, made.secret))).toBe('ok');
  expect(codeOf(await guest.socket.emitWithAck('pull', { run: run.id }))).toBe('ok');
  guest.socket.disconnect();
  // Comes back without the link, and the link is used up for others.
  expect(codeOf(await enter(await here('guest'), run.id))).toBe('ok');
  expect(codeOf(await enter(stranger, run.id, made.secret))).toBe('invitation-invalid');
  const seen = await describe(run.id);
  expect(seen.invitations).toMatchObject([{ id: made.id, label: 'ward 3', uses: 1 }]);
  expect(seen.listed).toMatchObject([{ participant: guest.id, invitation: made.id }]);
  expect(JSON.stringify(seen)).not.toContain(made.secret);
});

it('of two who come with the last use at the same moment one is let in', async () => {
  const run = await launch('invited');
  const { secret } = await invite(run.id, { uses: 1 });
  const both = await Promise.all([here('first'), here('second')]);
  const answers = await Promise.all(both.map((one) => enter(one, run.id, secret)));
  expect(answers.map(codeOf).sort()).toEqual(['invitation-invalid', 'ok']);
  expect((await describe(run.id)).listed).toHaveLength(1);
});

it('who guesses invitations is shown the door', async () => {
  const run = await launch('invited');
  const guesser = await here('guesser');
  const closed = next(guesser.socket, 'disconnect');
  const notice = next<Down<'notice'>>(guesser.socket, 'notice');
  for (let guess = 0; guess < 40; guess++) void enter(guesser, run.id, `join-${guess}`).catch(() => {});
  expect(await notice).toMatchObject({ code: 'too-many-offences' });
  await closed;
});

it('who is gone before its invitation is written down is not left behind as a ghost', async () => {
  const run = await launch('invited');
  const { secret } = await invite(run.id, { uses: 1 });
  const first = await here('hasty');
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  holdUse = () => {
    reached.resolve();
    return released.promise;
  };
  const answer = enter(first, run.id, secret);
  answer.catch(() => {});
  await reached.promise;
  // The same participant comes by another connection, which has joined nothing.
  const second = await here('hasty');
  const listed = coordinator.admissions.list(run.id, [], { note: '', by: '' });
  holdUse = async () => {};
  released.resolve();
  // One at a time: this comes after the invitation was taken.
  await listed;
  await new Promise((resolve) => setImmediate(resolve));
  expect(coordinator.runs.engine(run.id).members()).toEqual([]);
  expect(codeOf(await enter(second, run.id))).toBe('ok');
  expect(coordinator.runs.engine(run.id).members()).toEqual([second.id]);
});

it('an invitation ends with its time and with its revocation, which can put out who came by it', async () => {
  const run = await launch('invited');
  const [short, long] = [await invite(run.id, { days: 1 }), await invite(run.id)];
  const early = await here('early');
  const joined = await enter(early, run.id, short.secret);
  expect(codeOf(joined)).toBe('ok');
  clock.advance(DAY);
  expect(codeOf(await enter(await here('too late'), run.id, short.secret))).toBe('invitation-invalid');
  const inTime = await here('in time');
  expect(codeOf(await enter(inTime, run.id, long.secret))).toBe('ok');
  await call('DELETE', `/api/runs/${run.id}/invitations/${long.id}`);
  // Who came stays; nobody new comes.
  expect(codeOf(await enter(inTime, run.id))).toBe('ok');
  expect(codeOf(await enter(await here('later'), run.id, long.secret))).toBe('invitation-invalid');
  const notice = next<Down<'notice'>>(early.socket, 'notice');
  const revoked = await call<RunAdmission>('DELETE', `/api/runs/${run.id}/invitations/${short.id}?remove=1`);
  expect(revoked.body).toMatchObject({ id: short.id, revokedAt: clock.now() });
  expect(await notice).toMatchObject({ code: 'run-not-admitted', run: run.id });
  expect(codeOf(await enter(early, run.id))).toBe('run-not-admitted');
  expect((await describe(run.id)).listed.map(({ participant }) => participant)).toEqual([inTime.id]);
  expect((await call('DELETE', `/api/runs/${run.id}/invitations/none`)).status).toBe(404);
});

it('a listed run lets in whom an operator put on its list, and invitations open nothing', async () => {
  const run = await launch('listed');
  const { secret } = await invite(run.id);
  const someone = await here('known');
  expect(codeOf(await enter(someone, run.id, secret))).toBe('run-not-admitted');
  const listed = await call<RunAdmission>('POST', `/api/runs/${run.id}/allow-list`, {
    body: { participants: [someone.id, someone.id], note: 'Dr. Li' },
  });
  expect(listed.body.listed).toMatchObject([{ participant: someone.id, invitation: null, note: 'Dr. Li' }]);
  expect(codeOf(await enter(someone, run.id))).toBe('ok');
  const notice = next<Down<'notice'>>(someone.socket, 'notice');
  await call('DELETE', `/api/runs/${run.id}/allow-list/${someone.id}`);
  expect(await notice).toMatchObject({ code: 'run-not-admitted', run: run.id });
  expect(coordinator.runs.engine(run.id).participants()).toMatchObject([{ id: someone.id, state: 'left' }]);
  expect((await call('DELETE', `/api/runs/${run.id}/allow-list/${someone.id}`)).status).toBe(404);
  const bad = await call('POST', `/api/runs/${run.id}/allow-list`, { body: { participants: ['me'] } });
  expect(bad.status).toBe(400);
});

it('an open run that is closed keeps those who take part, or does not', async () => {
  for (const keep of [true, false]) {
    const run = await launch('open');
    const someone = await here(`keep ${keep}`);
    await enter(someone, run.id);
    const told = keep ? null : next<Down<'notice'>>(someone.socket, 'notice');
    const changed = await call<RunAdmission>('PUT', `/api/runs/${run.id}/admission`, {
      body: { admission: 'listed', keep },
    });
    expect(changed.body.listed.map(({ participant }) => participant)).toEqual(keep ? [someone.id] : []);
    if (told !== null) expect(await told).toMatchObject({ code: 'run-not-admitted' });
    expect(coordinator.runs.get(run.id)).toMatchObject({ admission: 'listed', participants: keep ? 1 : 0 });
    expect(codeOf(await enter(someone, run.id))).toBe(keep ? 'ok' : 'run-not-admitted');
  }
});

it('of a run that is not open strangers see that it is there, but not how good it is, nor its model', async () => {
  const run = await launch('invited');
  const { secret } = await invite(run.id);
  const guest = await here('sees');
  await enter(guest, run.id, secret);
  const [open] = [await launch('open')];
  const seenBy = async (name: string) =>
    new Map((await connect(name).welcome).runs.map((one: RunSummary) => [one.id, one]));
  const [stranger, admitted] = [await seenBy('sees not'), await seenBy('sees')];
  expect(stranger.get(run.id)).toMatchObject({ title: run.title, admission: 'invited', central: null });
  expect(admitted.get(run.id)?.central).toMatchObject({ accuracy: expect.any(Number) });
  expect(stranger.get(open.id)?.central).toMatchObject({ accuracy: expect.any(Number) });
  const listed = await call<RunSummary[]>('GET', '/api/runs', { key: null });
  expect(listed.body.find(({ id }) => id === run.id)?.central).toBeNull();

  // Another seed, so other first weights than those of open runs.
  const secretive = await launch('listed', { seed: 77 });
  const path = (version: string) => `/models/iris/${version}/model.json`;
  const refused = await call('GET', path(secretive.checkpoint), { key: null });
  expect([refused.status, refused.body]).toMatchObject([403, { error: { code: 'run-not-admitted' } }]);
  const weights = await fetch(`${coordinator.url}/models/iris/${secretive.checkpoint}/weights.bin`);
  expect(weights.status).toBe(403);
  const allowed = await call('GET', path(secretive.checkpoint));
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get('cache-control')).toBe('private, no-store');
  type Described = { userDefinedMetadata: { coppice: { run: string } } };
  const latest = async (key: string | null) =>
    (await call<Described>('GET', path('latest'), { key })).body.userDefinedMetadata.coppice.run;
  const newest = await launch('listed', { seed: 78 });
  const trained = async (id: string) => {
    const run = (await coordinator.storage.runs()).find((one) => one.id === id) as RunRecord;
    const first = (await coordinator.storage.latest(id)) as StoredModel;
    const weights = first.weights.map((weight) => weight + run.sequence);
    const checkpoint = { ...first.checkpoint, round: 1, hash: weightsHash(weights) };
    await coordinator.storage.commit({ run, round: null, model: { ...first, weights, checkpoint } });
  };
  await trained(newest.id);
  expect(await latest(KEY)).toBe(newest.id);
  expect((await call('GET', path('latest'), { key: null })).body).toMatchObject({
    error: { code: 'run-not-admitted' },
  });
  await trained(open.id);
  expect(await latest(KEY)).toBe(newest.id);
  expect(await latest(null)).toBe(open.id);
});

it('a ban in mid-round: what was acknowledged stays counted, what was not is not, and the round ends', async () => {
  const run = await launch('open', { minParticipants: 3, seed: 5, rounds: 9 });
  const people = await Promise.all(['counted', 'slow', 'honest'].map(here));
  const [counted, slow, honest] = people as [Someone, Someone, Someone];
  const started = people.map(({ socket }) => next<Ask>(socket, 'ask'));
  const replies: Joined[] = [];
  for (const one of people) {
    const reply = await enter(one, run.id);
    if (!reply.ok) throw new Error(reply.error.code);
    replies.push(reply.value);
  }
  const starts = await Promise.all(started);
  const send = (at: number) =>
    (people[at] as Someone).socket.emitWithAck('answer', answerTo(replies[at] as Joined, starts[at] as Ask));
  expect(codeOf(await send(0))).toBe('ok');

  const notices = [counted, slow].map(({ socket }) => next<Down<'notice'>>(socket, 'notice'));
  for (const { id } of [counted, slow])
    await call<Ban>('POST', '/api/bans', { body: { participant: id, run: run.id, reason: 'poison' } });
  for (const notice of notices)
    expect(await notice).toMatchObject({ code: 'participant-banned', run: run.id });
  // The reason is for operators.
  expect(JSON.stringify(await Promise.all(notices))).not.toContain('poison');
  expect(codeOf(await send(1))).toBe('participant-banned');
  for (const banned of [counted, slow]) {
    expect(codeOf(await enter(banned, run.id))).toBe('participant-banned');
    expect(codeOf(await banned.socket.emitWithAck('pull', { run: run.id }))).toBe('participant-banned');
  }
  const ended = next<Down<'round-end'>>(honest.socket, 'round-end');
  expect(codeOf(await send(2))).toBe('ok');
  expect(await ended).toMatchObject({ outcome: 'committed', accepted: 2, asked: 3 });
  const [round] = await coordinator.storage.rounds(run.id);
  const outcomes = Object.fromEntries(
    (round?.cohort ?? []).map(({ participant, outcome }) => [participant, outcome]),
  );
  expect(outcomes).toEqual({ [counted.id]: 'accepted', [slow.id]: 'refused', [honest.id]: 'accepted' });
  // Two updates of 1/1024 each: so is their mean, exactly.
  const [first, second] = await Promise.all(
    [round?.parent, round?.checkpoint].map((hash) => coordinator.storage.weights(hash as string)),
  );
  expect([...(second as Float32Array)]).toEqual(
    [...(first as Float32Array)].map((weight) => Math.fround(weight + 1 / 1024)),
  );
  // Elsewhere they may be, and here again once the ban is lifted.
  expect(codeOf(await enter(slow, (await launch('open')).id))).toBe('ok');
  const ban = (await describe(run.id)).bans.find(({ participant }) => participant === slow.id);
  await call('DELETE', `/api/bans/${ban?.id}`);
  expect(codeOf(await enter(slow, run.id))).toBe('ok');
  expect((await call('DELETE', `/api/bans/${ban?.id}`)).status).toBe(404);
});

it('a ban from everything ends the connection at once, and lets none be made', async () => {
  const run = await launch('open');
  const someone = await here('unwanted');
  await enter(someone, run.id);
  const notice = next<Down<'notice'>>(someone.socket, 'notice');
  const closed = next(someone.socket, 'disconnect');
  const body = { participant: someone.id, run: null, reason: 'floods' };
  const { body: ban } = await call<Ban>('POST', '/api/bans', { body });
  expect((await call<Ban>('POST', '/api/bans', { body })).body.id).toBe(ban.id);
  expect(await notice).toEqual({ code: 'participant-banned', message: expect.any(String), retry: 'never' });
  await closed;
  expect(coordinator.runs.get(run.id).participants).toBe(0);
  const again = connect('unwanted');
  const shut = next(again.socket, 'disconnect');
  expect(codeOf(await again.proved)).toBe('participant-banned');
  await shut;
  await call('DELETE', `/api/bans/${ban.id}`);
  expect(codeOf(await enter(await here('unwanted'), run.id))).toBe('ok');
});

it('all of it outlives a restart, and no secret is on disk or in a log', async () => {
  const invited = await launch('invited');
  const made = await invite(invited.id, { uses: 2 });
  const guest = await here('stays');
  await enter(guest, invited.id, made.secret);
  const banned = await here('stays out');
  const banFrom = { participant: banned.id, run: null, reason: '' };
  await call('POST', '/api/bans', { body: banFrom });
  const before = await describe(invited.id);
  await coordinator.close();
  await start();
  expect(await describe(invited.id)).toEqual(before);
  expect(coordinator.runs.get(invited.id).admission).toBe('invited');
  expect(codeOf(await connect('stays out').proved)).toBe('participant-banned');
  expect(codeOf(await enter(await here('stays'), invited.id))).toBe('ok');
  expect(codeOf(await enter(await here('new'), invited.id))).toBe('run-not-admitted');
  expect(codeOf(await enter(await here('new'), invited.id, made.secret))).toBe('ok');
  const [backup, restored] = [join(folder, 'backup'), join(folder, 'restored')];
  await backUp({ ...defaultConfig, dataDir: join(folder, 'data') }, backup);
  await restore(backup, { ...defaultConfig, dataDir: restored });
  const copy = await openSqliteStorage(restored);
  const { storage } = coordinator;
  expect(await copy.admissions()).toEqual(await storage.admissions());
  expect(await copy.listed()).toEqual(await storage.listed());
  expect(await copy.bans()).toEqual(await storage.bans());
  expect(await copy.runInvitations(invited.id)).toEqual(await storage.runInvitations(invited.id));
  await copy.close();
  const files = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true });
  for (const file of files.filter((one) => one.isFile()))
    expect(readFileSync(join(file.parentPath, file.name)).includes(made.secret), file.name).toBe(false);
  const { body: log } = await call<AuditEntry[]>('GET', '/api/audit');
  expect(JSON.stringify(log)).not.toContain(made.secret);
  const actions = new Set(log.map(({ action }) => action));
  for (const action of [
    'admission-changed',
    'participant-invitation-made',
    'participant-invitation-revoked',
    'participants-listed',
    'participant-unlisted',
    'participant-banned',
    'ban-lifted',
  ])
    expect(actions, action).toContain(action);
});

it('what there is not is named: a run, an invitation’s form, a ban’s run', async () => {
  expect((await call('GET', '/api/runs/none-1/admission')).status).toBe(404);
  expect((await call('PUT', '/api/runs/none-1/admission', { body: { admission: 'open' } })).status).toBe(404);
  const run = await launch('open');
  const change = await call('PUT', `/api/runs/${run.id}/admission`, { body: { admission: 'secret' } });
  expect(change.status).toBe(400);
  const body = { participant: '0'.repeat(32), run: 'none-1' };
  expect((await call('POST', '/api/bans', { body })).status).toBe(404);
  const socket = await here('form');
  const long = await enter(socket, run.id, 'x'.repeat(101));
  expect(codeOf(long)).toBe('message-invalid');
});
