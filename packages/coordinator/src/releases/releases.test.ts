import { builtInTask } from '@coppice/datasets';
import { ManualClock } from '@coppice/ports';
import {
  type AuditEntry,
  type Checkpoint,
  CoppiceError,
  type Event,
  knownEvent,
  type NewApiToken,
  type Release,
  ReleaseSchema,
  type Releases,
  ReleasesSchema,
  type Run,
  weightsHash,
} from '@coppice/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { RunRecord, StoredModel } from '../storage/storage.ts';

const KEY = 'a-key-for-tests';
let coordinator: Coordinator;
let clock: ManualClock;
/** Hashes of weights that storage cannot read. */
let rotten: Set<string>;

beforeEach(async () => {
  clock = new ManualClock(1_760_000_000_000);
  rotten = new Set();
  const storage = memoryStorage();
  const { weights } = storage;
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage: {
      ...storage,
      async weights(hash) {
        if (rotten.has(hash))
          throw new CoppiceError('storage-corrupt', `The weights ${hash} are damaged here.`);
        return weights(hash);
      },
    },
    spool: memorySpool(),
    clock,
  });
});
afterEach(() => coordinator.close());

interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}

async function call<T = Failure>(
  path: string,
  {
    body,
    as = KEY,
    headers = {},
  }: { body?: object; as?: string | null; headers?: Record<string, string> } = {},
) {
  const response = await fetch(coordinator.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      ...(as === null ? {} : { authorization: `Bearer ${as}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? null : JSON.parse(text)) as T,
  };
}

const launch = async (task: string, more: object = {}) =>
  (await call<Run>('/api/runs', { body: { task, start: false, plan: { seed: 3 }, ...more } })).body;

/** Stores rounds of a run, as though participants had trained it. */
async function train(id: string, rounds = 1): Promise<Checkpoint[]> {
  const made: Checkpoint[] = [];
  for (let n = 0; n < rounds; n++) {
    const run = (await coordinator.storage.runs()).find((one) => one.id === id) as RunRecord;
    const last = (await coordinator.storage.latest(id)) as StoredModel;
    const weights = last.weights.map((weight) => weight + 0.5);
    const { id: parent, ...before } = last.checkpoint;
    const checkpoint = { ...before, parent, round: before.round + 1, hash: weightsHash(weights) };
    const state = { values: {}, tensors: {} };
    await coordinator.storage.commit({ run, round: null, model: { weights, state, checkpoint } });
    made.push((await coordinator.storage.latestOfRun(id)) as Checkpoint);
  }
  return made;
}

const PATH = '/api/tasks/iris/releases';
const move = (checkpoint: string | null, expected: number | null, more: object = {}) =>
  call<Release>(PATH, { body: { channel: 'production', checkpoint, expected, reason: 'Better.', ...more } });
const undo = (expected: number | null) =>
  call<Release>(`${PATH}/undo`, { body: { expected, reason: 'Worse after all.' } });
const refusal = ({ status, body }: { status: number; body: unknown }) => {
  const { code, message } = (body as Failure).error;
  expect(message.length).toBeGreaterThan(40);
  return [status, code];
};

interface Described {
  readonly weightsManifest: readonly { readonly paths: readonly [string] }[];
  readonly userDefinedMetadata: { readonly coppice: { readonly run: string; readonly round: number } };
}
const model = (
  version: string,
  { as = null, headers }: { as?: string | null; headers?: Record<string, string> } = {},
) =>
  call<Described>(`/models/iris/${version}/model.json`, {
    as,
    ...(headers === undefined ? {} : { headers }),
  });

describe('a channel', () => {
  it('names the checkpoint that it was moved to, and its model is served from then on', async () => {
    const { id } = await launch('iris');
    const [one, two, three] = (await train(id, 3)) as [Checkpoint, Checkpoint, Checkpoint];
    expect(refusal(await model('production'))).toEqual([404, 'checkpoint-unknown']);
    expect((await model('latest')).body.userDefinedMetadata.coppice.round).toBe(3);

    const released = await move(one.id, null, { evidence: { loss: [0.5, 0.25] } });
    expect(released.status).toBe(201);
    expect(ReleaseSchema.parse(released.body)).toEqual({
      task: 'iris',
      sequence: 1,
      channel: 'production',
      checkpoint: one.id,
      hash: one.hash,
      before: null,
      undoes: null,
      at: 1_760_000_000_000,
      by: { by: 'admin', name: 'admin key' },
      reason: 'Better.',
      evidence: { loss: [0.5, 0.25] },
    });
    for (const version of ['production', 'latest']) {
      const served = await model(version);
      expect([served.status, served.headers.get('cache-control')]).toEqual([200, 'no-cache']);
      expect(served.headers.get('access-control-expose-headers')).toContain('ETag');
      expect(served.body.userDefinedMetadata.coppice).toMatchObject({ run: id, round: 1 });
      const at = new URL(
        served.body.weightsManifest[0]?.paths[0] as string,
        `${coordinator.url}/models/iris/${version}/model.json`,
      );
      expect(at.pathname).toBe(`/models/iris/${one.hash}/weights.bin`);
      const weights = await fetch(at);
      expect(weights.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(weightsHash(new Float32Array(await weights.arrayBuffer()))).toBe(one.hash);
    }
    const fixed = await model(one.hash);
    expect(fixed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');

    // A page that asks again, as browsers do, is told that nothing moved, until something does.
    const etag = (await model('production')).headers.get('etag') as string;
    const known = { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } };
    expect((await model('production', known)).status).toBe(304);
    await move(two.id, 1);
    const moved = await model('production', known);
    expect([moved.status, moved.body.userDefinedMetadata.coppice.round]).toEqual([200, 2]);
    // The other channels are of their own.
    await move(three.id, null, { channel: 'canary' });
    expect((await model('canary')).body.userDefinedMetadata.coppice.round).toBe(3);
    expect(refusal(await model('candidate'))).toEqual([404, 'checkpoint-unknown']);
    await move(null, 3, { channel: 'canary' });
    expect(refusal(await model('canary'))).toEqual([404, 'checkpoint-unknown']);
    expect((await model('latest')).body.userDefinedMetadata.coppice.round).toBe(2);
  });

  it('can be what a run begins from: the checkpoint that it names then', async () => {
    const { id } = await launch('iris');
    const [one, two] = (await train(id, 2)) as [Checkpoint, Checkpoint];
    const none = await call('/api/runs', { body: { task: 'iris', from: 'production', start: false } });
    expect(refusal(none)).toEqual([404, 'checkpoint-unknown']);
    await move(one.id, null);
    const run = await launch('iris', { from: 'production' });
    await move(two.id, 1);
    expect(run.from).toBe(one.id);
    expect((await call<Run>(`/api/runs/${run.id}`)).body.from).toBe(one.id);
    expect(await coordinator.storage.checkpoint(`${run.id}/0`)).toMatchObject({
      hash: one.hash,
      parent: one.id,
    });
    const unknown = await call('/api/runs', { body: { task: 'none', from: 'production' } });
    expect(refusal(unknown)).toEqual([404, 'task-unknown']);
  });

  it('of a run that is not open is for admins, and latest does not fall back to another model', async () => {
    const { id } = await launch('iris', { admission: 'listed' });
    const [closed] = (await train(id)) as [Checkpoint];
    await train((await launch('iris')).id);
    expect((await model('latest')).status).toBe(200);
    await move(closed.id, null);
    for (const version of ['production', 'latest']) {
      expect(refusal(await model(version))).toEqual([403, 'run-not-admitted']);
      const served = await model(version, { as: KEY });
      expect(served.body.userDefinedMetadata.coppice.run).toBe(id);
      expect(served.headers.get('cache-control')).toBe('private, no-store');
    }
  });
});

describe('a move', () => {
  it('is refused by name where it cannot be made, and changes nothing', async () => {
    const { id } = await launch('iris');
    const [one, two] = (await train(id, 2)) as [Checkpoint, Checkpoint];
    const other = await launch('regression');
    await train(other.id);
    const refusals = async (
      ...asked: [object | Promise<{ status: number; body: unknown }>, number, string][]
    ) => {
      for (const [what, status, code] of asked)
        expect(
          refusal(await ('then' in what ? (what as ReturnType<typeof undo>) : call(PATH, { body: what }))),
          JSON.stringify(what),
        ).toEqual([status, code]);
    };
    const body = { channel: 'production', checkpoint: one.id, expected: null, reason: 'r' };
    await refusals(
      [undo(null), 409, 'release-refused'],
      [move(null, null), 409, 'release-refused'],
      [move(null, null, { channel: 'canary' }), 409, 'release-refused'],
      [move(`${id}/0`, null), 409, 'release-refused'],
      [move(`${id}/3`, null), 404, 'checkpoint-unknown'],
      [move('none-1/1', null), 404, 'checkpoint-unknown'],
      [move(`${other.id}/1`, null), 409, 'checkpoint-mismatch'],
      [move(one.id, 1), 409, 'release-conflict'],
      [{ ...body, channel: 'staging' }, 400, 'body-invalid'],
      [{ ...body, checkpoint: id }, 400, 'body-invalid'],
      [{ ...body, reason: ' ' }, 400, 'body-invalid'],
      [{ ...body, reason: 'r'.repeat(501) }, 400, 'body-invalid'],
      [{ ...body, evidence: 'e'.repeat(33_000) }, 400, 'body-invalid'],
      [{ channel: 'production', checkpoint: one.id, reason: 'r' }, 400, 'body-invalid'],
      [{ ...body, expected: 0 }, 400, 'body-invalid'],
      [{ ...body, by: 'me' }, 400, 'body-invalid'],
    );
    expect(refusal(await call('/api/tasks/none/releases', { body }))).toEqual([404, 'task-unknown']);
    expect((await call<Releases>(PATH)).body).toEqual({
      channels: { candidate: null, canary: null, production: null },
      undo: null,
      releases: [],
    });
    await move(one.id, null);
    await refusals(
      [move(null, 1), 409, 'release-refused'],
      [move(one.id, 1), 409, 'release-refused'],
      [move(two.id, null), 409, 'release-conflict'],
      [undo(1), 409, 'release-refused'],
      [undo(null), 409, 'release-conflict'],
    );
    expect((await call<Releases>(PATH)).body.releases).toHaveLength(1);
  });

  it('is refused to a checkpoint whose model the task does not have any more', async () => {
    const { id } = await launch('iris');
    const [one] = (await train(id)) as [Checkpoint];
    const record = (await coordinator.storage.runs())[0] as RunRecord;
    const then = { ...(builtInTask('regression') ?? record.task), id: 'iris' };
    await coordinator.storage.putRun({ ...record, task: then });
    expect(refusal(await move(one.id, null))).toEqual([409, 'checkpoint-mismatch']);
  });

  it('is refused to a checkpoint whose weights cannot be read', async () => {
    const { id } = await launch('iris');
    const [one, two] = (await train(id, 2)) as [Checkpoint, Checkpoint];
    rotten.add(two.hash);
    await move(one.id, null);
    expect(refusal(await move(two.id, 1))).toEqual([500, 'storage-corrupt']);
    expect((await model('production')).body.userDefinedMetadata.coppice.round).toBe(1);
  });

  it('is one of those that two admins ask for at once; the other is told of it', async () => {
    const { id } = await launch('iris');
    const made = await train(id, 4);
    const token = async (name: string) =>
      (await call<NewApiToken>('/api/tokens', { body: { name, scopes: ['releases:write'], days: 1 } })).body
        .token;
    const names = ['Ada', 'Kim', 'Lee', 'Zoe'];
    const tokens = await Promise.all(names.map(token));
    const body = { channel: 'production', expected: null, reason: 'Now.' };
    const answers = await Promise.all(
      made.map(({ id: checkpoint }, n) =>
        call<Release & Failure>(PATH, { body: { ...body, checkpoint }, as: tokens[n] as string }),
      ),
    );
    const winner = answers.findIndex(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers[winner]?.body.by.name).toContain(names[winner]);
    for (const [n, answer] of answers.entries()) {
      if (n === winner) continue;
      expect(refusal(answer)).toEqual([409, 'release-conflict']);
      for (const part of [made[winner]?.id, names[winner], '2025-10-09T08:53:20.000Z'])
        expect(answer.body.error.message).toContain(part);
    }
    // A token that only moves channels launches nothing, and one that only launches moves nothing.
    const launched = await call('/api/runs', { body: { task: 'iris' }, as: tokens[0] as string });
    expect(refusal(launched)).toEqual([403, 'forbidden']);
    expect((await call<Releases>(PATH, { as: tokens[0] as string })).status).toBe(403);
  });

  it('is an event with its facts, and a line of the audit log', async () => {
    const { id } = await launch('iris');
    const [one, two] = (await train(id, 2)) as [Checkpoint, Checkpoint];
    await move(one.id, null, { reason: '新数据上更好' });
    await move(two.id, 1);
    await undo(2);
    await move(two.id, null, { channel: 'candidate' });
    await move(null, 4, { channel: 'candidate' });
    const events = await expect
      .poll(async () =>
        (await call<Event[]>('/api/events?after=0')).body.filter(({ kind }) => kind === 'release-moved'),
      )
      .toHaveLength(5)
      .then(async () => (await call<Event[]>('/api/events?after=0')).body);
    const moved = events.filter(({ kind }) => kind === 'release-moved');
    expect(moved.map(({ run, message }) => [run, message])).toEqual([
      [id, `The channel production of iris names ${one.id}, by admin key: 新数据上更好`],
      [id, `The channel production of iris names ${two.id}, by admin key: Better.`],
      [id, `The channel production of iris is back at ${one.id}, by admin key: Worse after all.`],
      [id, `The channel candidate of iris names ${two.id}, by admin key: Better.`],
      [null, 'The channel candidate of iris was emptied, by admin key: Better.'],
    ]);
    expect(knownEvent(moved[2] as Event)?.data).toEqual({
      task: 'iris',
      channel: 'production',
      sequence: 3,
      checkpoint: one.id,
      before: two.id,
      undone: true,
      by: 'admin key',
      reason: 'Worse after all.',
    });
    const audit = (await call<AuditEntry[]>('/api/audit')).body.filter(({ action }) =>
      action.startsWith('release-'),
    );
    expect(audit.map(({ action, target, detail }) => [action, target, detail])).toEqual([
      ['release-moved', 'iris', '5 candidate -'],
      ['release-moved', 'iris', `4 candidate ${two.id}`],
      ['release-undone', 'iris', `3 production ${one.id}`],
      ['release-moved', 'iris', `2 production ${two.id}`],
      ['release-moved', 'iris', `1 production ${one.id}`],
    ]);
  });
});

describe('the history', () => {
  it('is there page by page, and tells what each channel named at a time', async () => {
    const { id } = await launch('iris');
    const [one, two] = (await train(id, 2)) as [Checkpoint, Checkpoint];
    await move(one.id, null);
    clock.jump(1000);
    await move(two.id, null, { channel: 'canary' });
    await move(two.id, 1);
    const read = async (query = '') => ReleasesSchema.parse((await call(`${PATH}${query}`)).body);
    const numbers = async (query: string) => (await read(query)).releases.map(({ sequence }) => sequence);
    expect(await numbers('')).toEqual([3, 2, 1]);
    expect(await numbers('?after=1')).toEqual([2, 3]);
    expect(await numbers('?before=3')).toEqual([2, 1]);
    expect(await numbers('?channel=production')).toEqual([3, 1]);
    const named = ({ channels }: Releases) =>
      Object.values(channels).map((release) => release?.checkpoint ?? null);
    expect(named(await read())).toEqual([null, two.id, two.id]);
    expect(named(await read('?at=1760000000999'))).toEqual([null, null, one.id]);
    expect(named(await read('?at=1760000001000'))).toEqual([null, two.id, two.id]);
    expect(named(await read('?at=0'))).toEqual([null, null, null]);
    for (const query of ['?channel=x', '?after=1&before=2', '?at=now', '?before=-1'])
      expect(refusal(await call(`${PATH}${query}`))).toEqual([400, 'body-invalid']);
    expect(refusal(await call('/api/tasks/none/releases'))).toEqual([404, 'task-unknown']);
  });
});

describe('taking a release back', () => {
  it('goes to what production named before, as often as there is something before', async () => {
    const { id } = await launch('iris');
    const made = await train(id, 4);
    const [one, two, three, four] = made.map((checkpoint) => checkpoint.id) as [
      string,
      string,
      string,
      string,
    ];
    await move(one, null);
    await move(two, 1);
    await move(three, 2);
    const leadsTo = async () => (await call<Releases>(PATH)).body.undo;
    expect(await leadsTo()).toBe(two);
    expect((await undo(3)).body).toMatchObject({ checkpoint: two, before: three, undoes: 3 });
    expect((await model('production')).body.userDefinedMetadata.coppice.round).toBe(2);
    expect(await leadsTo()).toBe(one);
    expect((await undo(4)).body).toMatchObject({ checkpoint: one, before: two, undoes: 2 });
    expect(await leadsTo()).toBeNull();
    expect(refusal(await undo(5))).toEqual([409, 'release-refused']);
    // Later moves stand on what was gone back to.
    await move(four, 5);
    expect((await undo(6)).body).toMatchObject({ checkpoint: one, before: four, undoes: 6 });
    expect(refusal(await undo(7))).toEqual([409, 'release-refused']);
  });

  it('is what a list of releases does from which the last is struck off', async () => {
    const { id } = await launch('iris');
    const made = (await train(id, 3)).map((checkpoint) => checkpoint.id);
    const { releases, storage } = coordinator;
    const by = { by: 'admin', name: 'a test' } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.nat({ max: 2 })), { maxLength: 12 }), async (steps) => {
        const last = async () => (await storage.lastRelease('iris', 'production'))?.sequence ?? null;
        // Production names something from the first step on: the list begins there.
        const start = (await storage.lastRelease('iris', 'production'))?.checkpoint ?? null;
        const first = made.find((checkpoint) => checkpoint !== start) as string;
        await releases.move('iris', 'production', {
          checkpoint: first,
          expected: await last(),
          reason: 'r',
          by,
        });
        const list = [first];
        for (const step of steps) {
          const expected = await last();
          const to = step === null ? undefined : made[step];
          if (to !== undefined && to !== list.at(-1)) {
            await releases.move('iris', 'production', { checkpoint: to, expected, reason: 'r', by });
            list.push(to);
          } else if (list.length > 1) {
            await releases.undo('iris', { expected, reason: 'r', by });
            list.pop();
          }
          expect((await storage.lastRelease('iris', 'production'))?.checkpoint).toBe(list.at(-1));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is refused by name where that checkpoint was deleted', async () => {
    const { id } = await launch('iris');
    const [one, two] = (await train(id, 2)) as [Checkpoint, Checkpoint];
    await move(one.id, null);
    await move(two.id, 1);
    await coordinator.storage.prune(id, { last: 1, every: 0 });
    expect(refusal(await undo(2))).toEqual([404, 'checkpoint-unknown']);
    expect((await model('production')).body.userDefinedMetadata.coppice.round).toBe(2);
  });
});
