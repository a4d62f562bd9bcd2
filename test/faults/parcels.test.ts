import { httpParcels, type ParcelSource, type Session, type SessionState } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { createTrainer } from '@coppice/training';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { LargeWorld } from './large-world.ts';
import { parcelProxy } from './parcel-proxy.ts';

/* The product's participant, and a model of 2.8 MB that it fetches over HTTP from a real coordinator. */
const HIDDEN = 700;
const PAYLOAD = 4 * (1000 * HIDDEN + HIDDEN + HIDDEN + 1);
const CUT = 1_200_000;
let world: LargeWorld;
const host = trainerHost(createTrainer, ['planned']);

beforeAll(async () => {
  world = await LargeWorld.begin(HIDDEN);
});
afterAll(async () => {
  host.dispose();
  await world.end();
});

const plan = { minParticipants: 1, overSelection: 1, rounds: 1, evaluationShare: 0, maxNorm: null };

function participant(url: string, identity: string, parcels: ParcelSource): Session {
  const session = createHeadlessParticipant({
    url,
    identity,
    host,
    backend: 'planned',
    examples: { count: 2, features: new Float32Array(2000).fill(0.01), labels: Float32Array.of(0, 1) },
    parcels,
  });
  onTestFinished(() => session.close());
  session.connect();
  return session;
}

async function proxied(stallAfter: number | null = null) {
  const proxy = await parcelProxy(world.url, stallAfter);
  onTestFinished(() => proxy.close());
  return proxy;
}

function until(session: Session, reached: (state: SessionState) => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (reached(session.state)) return resolve();
    const stop = session.subscribe((state) => {
      if (!reached(state)) return;
      stop();
      resolve();
    });
  });
}

it('goes on from the byte where the line broke, and every byte is counted on both sides', async () => {
  const proxy = await proxied(CUT);
  const { id: run } = await world.coordinator.runs.create('large', plan, true);
  const parcels = httpParcels(proxy.url);
  const session = participant(proxy.url, 'one that is cut', parcels);
  await session.join(run);
  // The head of the answer is among the bytes that passed.
  await expect.poll(() => parcels.traffic.received.bytes).toBeGreaterThan(CUT - 2000);
  proxy.breakOff();
  await until(session, ({ accepted }) => accepted === 1);
  const [first, second, ...more] = proxy.requests;
  expect(more).toEqual([]);
  expect(first?.path).toMatch(new RegExp(`^/api/runs/${run}/parcels/[0-9a-f]{64}\\?codec=float32$`));
  expect(first?.headers).not.toHaveProperty('range');
  const from = Number(/^bytes=(\d+)-$/.exec(second?.headers['range'] ?? '')?.[1]);
  expect(from).toBeGreaterThan(CUT - 2000);
  expect(from).toBeLessThan(CUT);
  const { received } = session.state;
  expect(received.bytes).toBeGreaterThan(PAYLOAD);
  // Nothing of it came a second time.
  expect(received.bytes).toBeLessThan(PAYLOAD + 100_000);
  const [round] = await world.coordinator.storage.rounds(run);
  expect(round).toMatchObject({ outcome: 'committed', accepted: 1 });
  expect(round?.bytesDown).toBeGreaterThan(PAYLOAD);
});

it('shows its ticket where a run is not open, at a question and at a pull', async () => {
  const proxy = await proxied();
  const { runs, admissions, storage } = world.coordinator;
  const { id: run } = await runs.create('large', { ...plan, rounds: 500 }, false, {
    admission: 'invited',
  });
  const { secret } = await admissions.invite(run, {}, 'the tests');
  const session = participant(proxy.url, 'one that is invited', httpParcels(proxy.url));
  await session.join(run, secret);
  await until(session, ({ joined }) => joined !== null);
  const first = await session.pull(run);
  expect(first.weights.byteLength).toBe(PAYLOAD);
  expect(proxy.requests.map(({ path }) => path)).toEqual([
    `/api/runs/${run}/parcels/${first.checkpoint}?codec=float32`,
  ]);
  await runs.act(run, 'start');
  await until(session, ({ accepted }) => accepted === 2);
  await runs.act(run, 'pause');
  await expect.poll(() => runs.get(run).phase).toBe('idle');
  const { round } = runs.get(run);
  const last = await session.pull(run);
  expect(last.round).toBe(round);
  // A pull, a question a round, a pull.
  const tickets = proxy.requests.map(({ headers }) => headers['coppice-ticket'] ?? '');
  expect(tickets).toHaveLength(1 + round + 1);
  expect(new Set(tickets).size).toBe(tickets.length);
  const id = session.state.participant as string;
  expect(new Set(proxy.requests.map(({ headers }) => headers['coppice-participant']))).toEqual(new Set([id]));
  for (const { bytesDown } of await storage.rounds(run)) expect(bytesDown).toBeGreaterThan(PAYLOAD);

  // The ticket of a pull ends with its model, that of a question with its round, and both are nobody else's.
  const show = async (ticket: string, holder = id) => {
    const headers = { 'coppice-participant': holder, 'coppice-ticket': ticket };
    const address = `${world.url}/api/runs/${run}/parcels/${last.checkpoint}`;
    const response = await fetch(address, { headers });
    if (response.ok) return (await response.arrayBuffer()).byteLength;
    return ((await response.json()) as { error: { code: string } }).error.code;
  };
  const [pulled, asked] = tickets as [string, string];
  expect(await show(tickets.at(-1) as string)).toBe(PAYLOAD);
  expect(await show(pulled)).toBe('ticket-invalid');
  expect(await show(asked)).toBe('ticket-invalid');
  expect(await show(tickets.at(-1) as string, '0'.repeat(32))).toBe('run-not-admitted');
  await runs.act(run, 'stop');
});

it('takes the socket for the session where a proxy answers in the place of the coordinator', async () => {
  const proxy = await proxied();
  const { id: run } = await world.coordinator.runs.create('large', { ...plan, rounds: 2 }, true);
  let asked = 0;
  const page = async () => {
    asked++;
    return new Response('<!doctype html><title>Sign in</title>', {
      headers: { 'content-type': 'text/html' },
    });
  };
  const session = participant(proxy.url, 'one behind a proxy', httpParcels(proxy.url, page));
  await session.join(run);
  await until(session, ({ accepted }) => accepted === 2);
  expect([asked, proxy.requests]).toEqual([1, []]);
  expect(session.state.error).toBeNull();
});
