import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@coppice/ports';
import { weightsHash } from '@coppice/protocol';
import { sampleTask } from '@coppice/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { httpTasks } from './http-tasks.ts';
import { binningOf, watchOf } from './watched.testing.ts';

/* The public routes of a coordinator, over sockets. */

let server: Server | null = null;
afterEach(() => new Promise<void>((resolve) => void (server?.close(() => resolve()) ?? resolve())));

async function serving(handle: RequestListener) {
  const http = createServer(handle);
  server = http;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

const clock = new ManualClock();
const weights = Float32Array.of(1, -2, 0.5);
const hash = weightsHash(weights);

/** Answers by path: JSON, or bytes. */
function answering(answers: Readonly<Record<string, unknown>>, asked: string[] = []): RequestListener {
  return ({ url = '' }, response) => {
    asked.push(url);
    const answer = answers[url];
    if (answer instanceof Uint8Array) response.end(answer);
    else if (answer === undefined)
      response
        .writeHead(404, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ error: { code: 'task-unknown', message: 'There is none.', retry: 'never' } }));
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
  };
}

describe('tasks over HTTP', () => {
  it('are read with what a newer coordinator adds', async () => {
    const { id, data, loss, heldOut } = sampleTask;
    const info = watchOf(binningOf(0));
    const url = await serving(
      answering({
        [`/api/tasks/${id}`]: { ...sampleTask, parameters: 5, more: true },
        [`/api/tasks/${id}/watch`]: { ...info, more: true },
      }),
    );
    const tasks = httpTasks(url, { clock });
    expect(await tasks.task(id)).toEqual({ id, data, loss, heldOut });
    expect(await tasks.watch(id)).toEqual(info);
  });

  it('give a model whose weights have their hash', async () => {
    const url = await serving(
      answering({
        [`/models/toy/${hash}/model.json`]: {
          modelTopology: { class_name: 'Sequential', config: [] },
          format: 'x',
        },
        [`/models/toy/${hash}/weights.bin`]: new Uint8Array(weights.buffer),
      }),
    );
    const model = await httpTasks(url, { clock }).model('toy', hash);
    expect(model).toEqual({ topology: { class_name: 'Sequential', config: [] }, weights });
  });

  it('show the pass of a question only where a model is not for everyone', async () => {
    const shown: (string | undefined)[] = [];
    const url = await serving(({ url: path = '', headers }, response) => {
      const ticket = headers['coppice-ticket'];
      shown.push(`${headers['coppice-participant']} ${ticket}`);
      if (ticket !== 'compare-0.seal') {
        const error = { code: 'run-not-admitted', message: 'Of a run that is not open.', retry: 'never' };
        response.writeHead(403, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error }));
      } else if (path.endsWith('.bin')) response.end(new Uint8Array(weights.buffer));
      else response.end(JSON.stringify({ modelTopology: { class_name: 'Sequential', config: [] } }));
    });
    const tasks = httpTasks(url, { clock });
    await expect(tasks.model('toy', hash)).rejects.toMatchObject({ code: 'run-not-admitted' });
    const pass = { participant: 'ab', ticket: 'compare-0.seal' };
    expect(await tasks.model('toy', hash, pass)).toMatchObject({ weights });
    const none = 'undefined undefined';
    expect(shown).toEqual([none, none, 'ab compare-0.seal', 'ab compare-0.seal']);
    await expect(tasks.model('toy', hash, { ...pass, ticket: 'x' })).rejects.toMatchObject({
      code: 'run-not-admitted',
    });
  });

  it('refuse weights that were changed, after asking once more', async () => {
    const asked: string[] = [];
    const other = 'f'.repeat(64);
    const url = await serving(
      answering(
        {
          [`/models/toy/${other}/model.json`]: { modelTopology: { class_name: 'Sequential', config: [] } },
          [`/models/toy/${other}/weights.bin`]: new Uint8Array(weights.buffer),
        },
        asked,
      ),
    );
    await expect(httpTasks(url, { clock }).model('toy', other)).rejects.toMatchObject({
      code: 'frame-invalid',
    });
    expect(asked.filter((path) => path.endsWith('weights.bin'))).toHaveLength(2);
  });

  it('pass on what the coordinator refuses', async () => {
    const url = await serving(answering({}));
    await expect(httpTasks(url, { clock }).task('none')).rejects.toMatchObject({ code: 'task-unknown' });
  });

  it.each([
    ['no JSON', Buffer.from('<html>')],
    ['another thing', { id: 5 }],
  ])('refuse %s', async (_name, answer) => {
    const url = await serving(answering({ '/api/tasks/toy': answer, '/api/tasks/toy/watch': answer }));
    const tasks = httpTasks(url, { clock });
    await expect(tasks.task('toy')).rejects.toMatchObject({ code: 'message-invalid' });
    await expect(tasks.watch('toy')).rejects.toMatchObject({ code: 'message-invalid' });
  });

  it('give up an answer of which nothing comes', async () => {
    const time = new ManualClock();
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const url = await serving(() => resolve());
    const asked = httpTasks(url, { clock: time })
      .task('toy')
      .catch((thrown: unknown) => thrown);
    await arrived;
    time.advance(45_000);
    expect(await asked).toMatchObject({ code: 'connection-lost' });
  });

  it('name a coordinator that is away', async () => {
    const url = await serving(answering({}));
    await new Promise<void>((resolve) => void server?.close(() => resolve()));
    server = null;
    await expect(httpTasks(url, { clock }).watch('toy')).rejects.toMatchObject({ code: 'connection-lost' });
  });
});
