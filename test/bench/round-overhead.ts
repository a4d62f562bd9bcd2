import { builtInTask } from '@coppice/datasets';
import {
  type Codec,
  type Down,
  type Joined,
  layoutSize,
  PROTOCOL_VERSION,
  planDescription,
  type Reply,
  type Run,
  type Task,
} from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';
import { keysOf } from '../conformance/raw-identity.ts';
import { madeAnswerFrame } from '../made-answer.ts';
import { type MeasuredServer, startServer } from './child.ts';
import { median } from './statistics.ts';

export interface RoundOverhead {
  readonly clients: number;
  readonly parameters: number;
  readonly coordinator: RoundCost;
  readonly echo: RoundCost;
  readonly cpuRatio: number;
  readonly wallRatio: number;
}

/** Cost of each round in milliseconds: CPU time of the server process with all its threads, and wall time. */
export interface RoundCost {
  readonly cpu: readonly number[];
  readonly wall: readonly number[];
  readonly peakMegabytes: number;
  readonly longestStall: number;
}

export interface RoundOverheadOptions {
  readonly clients: number;
  /** Number of measured rounds, after three to warm up. */
  readonly rounds: number;
  readonly task: Task;
  /** Codec of the updates, and of the models down. */
  readonly codec?: Codec;
}

/**
 * Measures rounds of `clients` headless clients that do not train, against a bare Socket.IO server that transfers the
 * same bytes: both servers in processes of their own, round and echo by turns.
 */
export async function roundOverhead({
  clients,
  rounds,
  task,
  codec = 'float32',
}: RoundOverheadOptions): Promise<RoundOverhead> {
  const warmUp = 3;
  const coordinator = await startServer('./coordinator-server.ts');
  const federated = await federatedRounds(coordinator, { clients, rounds: rounds + warmUp, task, codec });
  const echo = await startServer('./echo-server.ts', String(federated.frameBytes));
  const bare = await echoRounds(echo, clients);
  const measured: { coordinator: Sample[]; echo: Sample[] } = { coordinator: [], echo: [] };
  for (let round = 0; round < rounds + warmUp; round++) {
    if (round === warmUp) for (const server of [coordinator, echo]) server.warm();
    const a = await measure(coordinator, federated.round);
    const b = await measure(echo, bare.round);
    if (round < warmUp) continue;
    measured.coordinator.push(a);
    measured.echo.push(b);
  }
  const summary = async (server: MeasuredServer, samples: Sample[]): Promise<RoundCost> => {
    const { peakMegabytes, longestStall } = await server.usage();
    return {
      cpu: samples.map((sample) => sample.cpu),
      wall: samples.map((sample) => sample.wall),
      peakMegabytes,
      longestStall,
    };
  };
  const result = {
    coordinator: await summary(coordinator, measured.coordinator),
    echo: await summary(echo, measured.echo),
  };
  federated.close();
  bare.close();
  await coordinator.close();
  await echo.close();
  return {
    clients,
    parameters: federated.parameters,
    ...result,
    cpuRatio: median(result.coordinator.cpu) / median(result.echo.cpu),
    wallRatio: median(result.coordinator.wall) / median(result.echo.wall),
  };
}

interface Sample {
  readonly cpu: number;
  readonly wall: number;
}

async function measure(server: MeasuredServer, round: () => Promise<void>): Promise<Sample> {
  const before = await server.usage();
  const began = performance.now();
  await round();
  const wall = performance.now() - began;
  return { cpu: (await server.usage()).cpu - before.cpu, wall };
}

/** One run; each call of `round` runs exactly one round. */
async function federatedRounds(
  server: MeasuredServer,
  { clients, rounds, task, codec }: Required<RoundOverheadOptions>,
) {
  const api = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.extra.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  };
  if (builtInTask(task.id) === undefined) {
    const { samples: _samples, planDefaults: _defaults, ...own } = task;
    await api('/api/tasks', { metrics: [], ...own });
  }
  const run = await api<Run>('/api/runs', {
    task: task.id,
    start: false,
    plan: {
      rounds: rounds + 1,
      minParticipants: clients,
      overSelection: 1,
      quorum: 1,
      deadlineSeconds: 600,
      uploadCodec: codec,
      ...(codec === 'float32' ? {} : { downloadCodec: codec, downloadForm: 'whole' }),
    },
  });
  let ended = 0;
  let wake = () => {};
  let frame: Uint8Array = new Uint8Array();
  let parameters = 0;
  const sockets: Socket[] = [];
  for (let client = 0; client < clients; client++) {
    const keys = keysOf(`bench ${client}`);
    const socket = io(`${server.url}/participant`, {
      transports: ['websocket'],
      auth: {
        protocol: PROTOCOL_VERSION,
        key: keys.key,
        features: [...planDescription.capabilities().keys()],
      },
      forceNew: true,
    });
    sockets.push(socket);
    socket.on('challenge', ({ nonce }: { nonce: string }) =>
      socket.emit('prove', { signature: keys.prove(new URL(server.url).host, nonce) }),
    );
    await new Promise<void>((resolve) => socket.once('welcome', () => resolve()));
    const reply = (await socket.emitWithAck('join', {
      run: run.id,
      device: 'headless',
      backend: 'none',
      examples: 10,
      speed: null,
      paused: false,
    })) as Reply<Joined>;
    if (!reply.ok) throw new Error(reply.error.message);
    if (frame.length === 0) {
      parameters = layoutSize(reply.value.layout);
      frame = madeAnswerFrame(reply.value, { codec, weight: 10, step: () => 1e-4 });
    }
    socket.on('ask', ({ kind, ticket }: Down<'ask'>) => {
      if (kind !== 'train') return;
      socket.emit('answer', { run: run.id, ticket, weight: 10, milliseconds: 1, frame }, () => {});
    });
    socket.on('round-end', () => {
      if (++ended === clients) wake();
    });
  }
  const [gate] = sockets as [Socket];
  const open = (paused: boolean) => gate.emitWithAck('availability', { run: run.id, paused, examples: 10 });
  // A round needs everyone. The first client steps aside as soon as one has begun, so that no other
  // begins before it is asked for.
  gate.on('ask', () => void open(true));
  await open(true);
  await api(`/api/runs/${run.id}/start`);
  return {
    frameBytes: frame.byteLength,
    parameters,
    async round() {
      ended = 0;
      const all = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await open(false);
      await all;
    },
    close() {
      for (const socket of sockets) socket.disconnect();
    },
  };
}

async function echoRounds(server: MeasuredServer, clients: number) {
  const sockets: Socket[] = [];
  let ended = 0;
  let wake = () => {};
  for (let client = 0; client < clients; client++) {
    const socket = io(server.url, { transports: ['websocket'], forceNew: true });
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.on('frame', ({ frame }: { frame: Uint8Array }) => socket.emit('back', { frame }, () => {}));
    socket.on('round', () => {
      if (++ended === clients) wake();
    });
  }
  return {
    async round() {
      ended = 0;
      const all = new Promise<void>((resolve) => {
        wake = resolve;
      });
      sockets[0]?.emit('go');
      await all;
    },
    close() {
      for (const socket of sockets) socket.disconnect();
    },
  };
}
