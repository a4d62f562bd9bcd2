import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { evaluationLayout, trainLayout } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import { type DownName, isErrorCode, PROTOCOL_VERSION, type UpName } from '@coppice/protocol';
import {
  anyValue,
  mutated,
  sampleDown,
  sampleLayout,
  samplePlan,
  sampleReplies,
  sampleTask,
} from '@coppice/protocol/testing';
import fc from 'fast-check';
import { Server, type Socket } from 'socket.io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryData } from './memory-data.ts';
import { memoryState } from './memory-state.ts';
import { headlessIdentity } from './node/headless-identity.ts';
import { createSession } from './session.ts';
import { socketTransport } from './socket-transport.ts';
import { trainerHost } from './trainer-host.ts';
import type { Transport } from './transport.ts';

/* What a coordinator sends is somebody else's word too. */

const names = (Object.keys(sampleDown) as DownName[]).filter((name) => name !== 'challenge');
const replies = Object.values(sampleReplies).flat();
/** A run whose layouts of answers are those of its model, task and plan. */
const joined = {
  ...sampleReplies.join[0],
  value: {
    ...(sampleReplies.join[0] as Extract<(typeof sampleReplies.join)[number], { ok: true }>).value,
    answers: {
      train: trainLayout(sampleLayout, sampleTask, samplePlan),
      evaluate: evaluationLayout(sampleTask, samplePlan),
    },
  },
};

/** What is sent, and what is answered to whatever comes back meanwhile. */
const pushes = fc.array(
  fc.oneof(
    ...names.map((name) =>
      fc.tuple(
        fc.constant(name as string),
        fc.oneof({ weight: 4, arbitrary: mutated(sampleDown[name]) }, anyValue),
      ),
    ),
  ),
  { maxLength: 8 },
);
const answers = fc.array(fc.oneof(fc.constantFrom<unknown>(...replies), mutated(...replies)), {
  minLength: 1,
  maxLength: 8,
});

let io: Server;
let url: string;
let answer: (name: string) => unknown;
let connected: (socket: Socket) => void;
let refusal: unknown;

beforeAll(async () => {
  const http = createServer();
  io = new Server(http);
  const namespace = io.of('/participant');
  namespace.use((_socket, next) => {
    if (refusal === undefined) next();
    else next(Object.assign(new Error('refused'), { data: refusal }));
  });
  namespace.on('connection', (socket) => {
    socket.onAny((name: string, ...sent: unknown[]) => {
      const acknowledge = sent.at(-1);
      if (typeof acknowledge === 'function') acknowledge(answer(name));
    });
    connected(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => new Promise<void>((resolve) => void io.close(() => resolve())));

function sessionOver(transport: Transport) {
  return createSession({
    transport,
    // Nothing of what was made up can be trained: that is told like any other failure.
    host: trainerHost(async () => {
      throw new Error('there is no such model');
    }, ['cpu']),
    openData: async (_task, schema) =>
      memoryData(schema, { count: 2, features: new Float32Array(4), labels: new Float32Array([0, 1]) }),
    splitSecret: new Uint8Array(32),
    localState: memoryState(),
    clock: new ManualClock(),
    device: 'headless',
    backend: 'cpu',
    keepModels: true,
  });
}

describe('a session', () => {
  it('outlives whatever it is sent and answered, and goes on hearing', async () => {
    await fc.assert(
      fc.asyncProperty(pushes, answers, async (sent, given) => {
        refusal = undefined;
        let asked = 0;
        answer = (name) => (name === 'join' && asked++ === 0 ? joined : given[asked++ % given.length]);
        const welcome = { ...sampleDown.welcome, protocol: PROTOCOL_VERSION };
        const arrived = new Promise<Socket>((resolve) => {
          connected = resolve;
        });
        const session = sessionOver(socketTransport(url, headlessIdentity('fuzzed')));
        const until = (is: () => boolean) =>
          new Promise<void>((resolve) => {
            const stop = session.subscribe(() => {
              if (!is()) return;
              resolve();
              queueMicrotask(() => stop());
            });
          });
        try {
          const online = until(() => session.state.connection === 'online');
          session.connect();
          const socket = await arrived;
          socket.emit('welcome', welcome);
          await online;
          await session.join('flowers-1').catch(() => {});
          for (const [name, message] of sent) socket.emit(name, message);
          // After all of it: what is valid is heard as ever, but by who was told that it was replaced.
          const heard = until(
            () => session.state.connection === 'refused' || session.state.operator === 'the last',
          );
          socket.emit('welcome', { ...welcome, operator: 'the last' });
          await heard;
          const { error } = session.state;
          if (error !== null) expect(isErrorCode(error.code)).toBe(true);
          expect(JSON.stringify(session.state)).toBeTypeOf('string');
        } finally {
          session.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('that is refused in any words is told a code that there is, or that nobody answers', async () => {
    await fc.assert(
      fc.asyncProperty(mutated({ code: 'identity-invalid', message: 'No.' }), async (data) => {
        refusal = data ?? null;
        const session = sessionOver(socketTransport(url, headlessIdentity('fuzzed')));
        try {
          const told = new Promise<void>((resolve) => {
            session.subscribe(({ connection }) => {
              if (connection !== 'connecting') resolve();
            });
          });
          session.connect();
          await told;
          const { error, connection } = session.state;
          if (connection === 'refused') expect(isErrorCode(error?.code)).toBe(true);
        } finally {
          session.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is answered to everything it can ask', () => {
    const asked = Object.keys(sampleReplies) as UpName[];
    expect(asked).toContain('answer');
  });
});
