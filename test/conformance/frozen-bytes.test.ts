import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import {
  createSession,
  type KeptParcels,
  memoryData,
  memoryState,
  type Session,
  socketTransport,
  type Transport,
} from '@coppice/participant';
import { headlessIdentity, headlessSecret, trainerHost } from '@coppice/participant/node';
import { seededRandom } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import {
  type CreateTask,
  contributionSize,
  type Down,
  type DownName,
  FROZEN_PARCEL,
  frameBytes,
  layoutSize,
  modelNumbers,
  modelParts,
  type Plan,
  payloadBytes,
  type Round,
  travelOf,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterEach, expect, it } from 'vitest';
import { createWithWeights } from '../given-weights.ts';

/* Bytes of runs of a network whose convolutions are frozen, over real connections, as they are counted at the sockets. */

const host = trainerHost(createTrainer, ['planned', 'cpu']);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const convolution = (filters: number, more: object) => ({
  class_name: 'Conv2D',
  config: { filters, kernel_size: [3, 3], activation: 'relu', ...more },
});
/** 18,816 weights of convolutions, which are frozen or not, and a head of 514 that is trained. */
const network = (trainable: boolean): CreateTask => ({
  id: trainable ? 'moving' : 'frozen',
  title: { en: 'A network' },
  description: { en: 'A network of a test.' },
  data: { kind: 'image', width: 8, height: 8, channels: 1, classes: ['a', 'b'] },
  model: {
    class_name: 'Sequential',
    config: {
      name: 'network',
      layers: [
        convolution(32, { name: 'edges', trainable, batch_input_shape: [null, 8, 8, 1] }),
        convolution(64, { name: 'shapes', trainable }),
        { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [2, 2], strides: [2, 2] } },
        { class_name: 'Flatten', config: { name: 'flat' } },
        { class_name: 'Dense', config: { name: 'head', units: 2, activation: 'softmax' } },
      ],
    },
  },
  loss: 'categoricalCrossentropy',
  heldOut: 0.1,
});
const FROZEN = 4 * (32 * 9 + 32 + 64 * 32 * 9 + 64);
const HEAD = 4 * (256 * 2 + 2);
/** Bytes of a round's messages beside frames, for one device: the question, its ticket, the word of its end. */
const WORDS = 8_000;

interface Device {
  readonly session: Session;
  /** Payload bytes that came in frames and pieces, by the question or the message that brought them; and those of answers. */
  readonly came: { readonly by: 'ask' | 'pull' | 'frozen' | 'answer'; readonly bytes: number }[];
}

/** Bytes that came, by what brought them. */
const bytesBy = ({ came }: Device, by: Device['came'][number]['by']) =>
  came.filter((one) => one.by === by).map(({ bytes }) => bytes);

async function world(task: CreateTask, plan: Partial<Plan>) {
  const coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  closing.push(() => coordinator.close());
  await createWithWeights(coordinator, task);
  const { id: run } = await coordinator.runs.create(
    task.id,
    { rounds: 5, minParticipants: 2, cohortFraction: 1, overSelection: 1, epochs: 1, seed: 3, ...plan },
    false,
  );
  const line = await breakable(new URL(coordinator.url));
  const device = (name: string, { keepModels = false, keptParcels }: Keeping = {}): Device => {
    const came: Device['came'] = [];
    const transport = counted(socketTransport(line.url, headlessIdentity(name)), came);
    const session: Session = createSession({
      transport,
      host,
      openData: async (_task, schema) => memoryData(schema, examplesOf(name)),
      splitSecret: headlessSecret(name),
      clock: systemClock,
      device: 'headless',
      backend: 'planned',
      keepModels,
      localState: memoryState(),
      ...(keptParcels === undefined ? {} : { keptParcels }),
    });
    closing.push(() => session.close());
    session.connect();
    void session.join(run);
    return { session, came };
  };
  const here = () => coordinator.runs.engine(run).heads().here.length;
  return { coordinator, run, line, device, here };
}

interface Keeping {
  readonly keepModels?: boolean;
  readonly keptParcels?: KeptParcels;
}

/** A transport that notes the frames of models that come, and of answers. */
function counted(transport: Transport, came: Device['came']): Transport {
  const frozen = new Set<string>();
  const payload = (frame: Uint8Array | ArrayBuffer) => frameBytes(frame).byteLength - 40;
  return {
    ...transport,
    get traffic() {
      return transport.traffic;
    },
    open: (events) =>
      transport.open({
        ...events,
        onMessage(name, message) {
          if (is('ask', name, message) && 'run' in message) {
            for (const { name: parcel, hash } of message.parcels)
              if (parcel === FROZEN_PARCEL) frozen.add(hash);
            came.push({
              by: 'ask',
              bytes: message.parcels.reduce((sum, { frame }) => sum + payload(frame), 0),
            });
          }
          events.onMessage(name, message);
        },
      }),
    async request(name, message) {
      if (name === 'answer') came.push({ by: 'answer', bytes: payload((message as Up<'answer'>).frame) });
      const reply = await transport.request(name, message);
      if (!reply.ok) return reply;
      const value = reply.value as { frame?: Uint8Array; frozen?: { hash: string }; bytes?: Uint8Array };
      if (name === 'pull') {
        if (value.frozen !== undefined) frozen.add(value.frozen.hash);
        came.push({ by: 'pull', bytes: payload(value.frame as Uint8Array) });
      }
      if (name === 'parcel') {
        expect(frozen).toContain((message as Up<'parcel'>).hash);
        came.push({ by: 'frozen', bytes: frameBytes(value.bytes as Uint8Array).byteLength });
      }
      return reply;
    },
  };
}

function is<N extends DownName>(wanted: N, name: DownName, _message: unknown): _message is Down<N> {
  return name === wanted;
}

function examplesOf(name: string) {
  const random = seededRandom('frozen', name);
  return {
    count: 12,
    features: Uint8Array.from({ length: 12 * 64 }, () => random.uint32() % 256),
    labels: Float32Array.from({ length: 12 }, (_, i) => i % 2),
  };
}

/** Passes bytes on, until all connections are broken at once. */
async function breakable({ port, hostname }: URL) {
  const open = new Set<Socket>();
  const server = createServer((below) => {
    const above = connect(Number(port), hostname);
    for (const [from, to] of [
      [below, above],
      [above, below],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  closing.push(() => {
    cut();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

/** Resolves when a round of this number is committed; the run pauses there. */
function pausedAfter({ runs }: Coordinator, run: string, number: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = runs.subscribe({
      runChanged: () => {},
      participantsChanged: () => {},
      roundChanged: ({ round, outcome }) => {
        if (round !== number || outcome !== 'committed') return;
        stop();
        runs.act(run, 'pause').then(resolve, reject);
      },
    });
  });
}

const committed = async ({ storage }: Coordinator, run: string): Promise<Round[]> =>
  (await storage.rounds(run)).filter(({ outcome }) => outcome === 'committed');
const over = (device: Device) => expect.poll(() => device.session.state.activity.kind).toBe('ended');
/** Resolves when a device says that it lost its connection, however soon it has another. */
const offline = ({ session }: Device) =>
  new Promise<void>((resolve) => {
    const stop = session.subscribe(({ connection }) => {
      if (connection !== 'offline') return;
      stop();
      resolve();
    });
  });
const online = ({ session }: Device) => expect.poll(() => session.state.connection).toBe('online');

it.each([
  { plan: { downloadCodec: 'float32' }, keepModels: false },
  { plan: { downloadCodec: 'float32' }, keepModels: true },
  { plan: { downloadCodec: 'int8' }, keepModels: true },
  { plan: { downloadCodec: 'int8', downloadForm: 'steps' }, keepModels: false },
  { plan: { downloadCodec: 'int8', downloadForm: 'steps' }, keepModels: true },
  { plan: { strategy: 'scaffold' }, keepModels: false },
] satisfies { plan: Partial<Plan>; keepModels: boolean }[])(
  'the frozen part comes once to each device, by whatever way models travel: $plan, keeping models: $keepModels',
  async ({ plan, keepModels }) => {
    const { coordinator, run, line, device, here } = await world(network(false), plan);
    const { layout, answers } = coordinator.runs.engine(run).join('0'.repeat(32), {
      run,
      device: 'headless',
      backend: 'none',
      examples: 0,
      speed: null,
      paused: true,
    });
    coordinator.runs.engine(run).leave('0'.repeat(32));
    expect(4 * layoutSize(modelParts(layout)?.frozen ?? [])).toBe(FROZEN);
    expect(4 * layoutSize(modelParts(layout)?.moving ?? [])).toBe(HEAD);
    const rounded = payloadBytes('int8', { parameters: HEAD / 4, trainable: HEAD / 4 });

    const paused = pausedAfter(coordinator, run, 2);
    const [a, b] = [device('a', { keepModels }), device('b', { keepModels })];
    await expect.poll(here).toBe(2);
    await coordinator.runs.act(run, 'start');
    await paused;
    // The line breaks, and one that was not here comes in between.
    const lost = offline(a);
    line.cut();
    await lost;
    const late = device('late', { keepModels });
    for (const one of [a, b, late]) await online(one);
    await expect.poll(here).toBe(3);
    await coordinator.runs.act(run, 'resume');
    await Promise.all([a, b, late].map(over));

    // The launch form and the consent label say the same, but for headers and measures.
    const said = travelOf(coordinator.runs.get(run).plan, modelNumbers(layout));
    expect(said.once).toBe(FROZEN);
    const parcels = plan.strategy === 'scaffold' ? 3 : 2;
    const measures = 4 * contributionSize(answers.train.filter(({ role }) => role === 'measure'));
    for (const one of [a, b, late]) {
      const [first, second] = bytesBy(one, 'ask').map((bytes) => bytes + 40 * parcels);
      // One that keeps models may have pulled them before.
      if (!keepModels) expect([first, second]).toEqual([said.first, said.down]);
      expect((bytesBy(one, 'answer')[0] ?? 0) + 40 - measures).toBe(said.up);
      expect(bytesBy(one, 'frozen')).toEqual([FROZEN]);
      const asks = bytesBy(one, 'ask');
      // One a round, and one about the last model.
      expect(asks).toHaveLength(one === late ? 4 : 6);
      for (const bytes of [...asks, ...bytesBy(one, 'pull')]) {
        if (plan.strategy === 'scaffold') expect([HEAD, 2 * HEAD]).toContain(bytes);
        // Steps of several rounds may come together, or none.
        else if (plan.downloadForm === 'steps') expect(bytes === HEAD || bytes % rounded === 0).toBe(true);
        else expect([HEAD, rounded]).toContain(bytes);
      }
    }
    const rounds = await committed(coordinator, run);
    expect(rounds.map(({ accepted }) => accepted)).toEqual([2, 2, 3, 3, 3]);
    // As counted at the coordinator's sockets, with all that is said besides.
    const most = (HEAD * (plan.strategy === 'scaffold' ? 2 : 1) + WORDS) * 3;
    for (const { round, bytesDown } of rounds)
      expect(bytesDown, `round ${round}`).toBeLessThan(
        most + (round === 1 ? 2 : round === 3 ? 1 : 0) * FROZEN,
      );
    expect(most).toBeLessThan(FROZEN);
    const last = await coordinator.runs.model(run, 'nobody');
    const whole = await a.session.pull(run);
    expect(whole.weights).toHaveLength(layoutSize(layout));
    expect([weightsHash(whole.weights), whole.checkpoint]).toEqual([last.checkpoint, last.checkpoint]);
    expect(frameBytes(last.frame).byteLength).toBe(40 + HEAD + FROZEN);
  },
);

it('the frozen part is not fetched by a page that is opened again, nor in another run of the same model', async () => {
  const { coordinator, run, device, here } = await world(network(false), { rounds: 2 });
  const kept = new Map<string, Float32Array>();
  const keptParcels: KeptParcels = {
    get: async (hash) => kept.get(hash) ?? null,
    put: async (hash, values) => void kept.set(hash, values.slice()),
  };
  const paused = pausedAfter(coordinator, run, 1);
  const [a, b] = [device('a', { keptParcels }), device('b')];
  await expect.poll(here).toBe(2);
  await coordinator.runs.act(run, 'start');
  await paused;
  expect([...kept.values()].map(({ byteLength }) => byteLength)).toEqual([FROZEN]);
  a.session.close();
  await expect.poll(here).toBe(1);
  const again = device('a', { keptParcels });
  await expect.poll(here).toBe(2);
  await coordinator.runs.act(run, 'resume');
  await Promise.all([again, b].map(over));
  expect(bytesBy(a, 'frozen')).toEqual([FROZEN]);
  expect(bytesBy(again, 'frozen')).toEqual([]);
  expect(bytesBy(again, 'ask')).toEqual([HEAD, HEAD]);

  // A part that was damaged on the device is fetched again, and mended.
  const [hash] = [...kept.keys()] as [string];
  kept.set(hash, new Float32Array(FROZEN / 4));
  const other = await coordinator.runs.create(
    'frozen',
    { rounds: 1, minParticipants: 1, cohortFraction: 1, epochs: 1, seed: 3 },
    true,
  );
  const third = device('a', { keptParcels });
  await third.session.join(other.id);
  await over(third);
  expect(bytesBy(third, 'frozen')).toEqual([FROZEN]);
  expect(weightsHash(kept.get(hash) as Float32Array)).toBe(hash);
});

it('a model of which nothing is frozen travels as one', async () => {
  const { coordinator, run, device, here } = await world(network(true), { rounds: 2 });
  const devices = [device('a'), device('b')];
  await expect.poll(here).toBe(2);
  await coordinator.runs.act(run, 'start');
  await Promise.all(devices.map(over));
  for (const one of devices) {
    expect(bytesBy(one, 'ask')).toEqual([HEAD + FROZEN, HEAD + FROZEN, HEAD + FROZEN]);
    expect(bytesBy(one, 'frozen')).toEqual([]);
  }
  for (const { bytesDown } of await committed(coordinator, run))
    expect(bytesDown).toBeGreaterThan(2 * (HEAD + FROZEN));
});
