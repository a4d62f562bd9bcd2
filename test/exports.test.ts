import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coordinator, startCoordinator } from '@coppice/coordinator';
import { normaliseFeatures, prepareImage, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { seededRandom, uniform } from '@coppice/ports';
import { type CreateTask, classesOf } from '@coppice/protocol';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPython, python } from './python.ts';

/* Files of a model beside weights.bin, read by programs that nobody here wrote. */

const ADMIN_KEY = 'exports-key';
let folder: string;
let coordinator: Coordinator;
const runs: Record<string, string> = {};

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'coppice-exports-'));
  coordinator = await startCoordinator({
    config: { port: 0, dataDir: join(folder, 'data'), adminKey: ADMIN_KEY, logLevel: 'silent' },
  });
  for (const task of ['iris', 'mnist-cnn']) runs[task] = (await coordinator.runs.create(task, {}, false)).id;
});
afterAll(async () => {
  await coordinator?.close();
  rmSync(folder, { recursive: true, force: true });
});

const folderOf = (task: string) => `${coordinator.url}/models/${task}/runs/${runs[task]}/0`;
const file = (task: string, name: string, headers: Record<string, string> = {}) =>
  fetch(`${folderOf(task)}/${name}`, { headers });

/** A few examples, as the model takes them, and what plain tfjs answers. */
async function answered(task: string): Promise<{ xs: Float32Array; shape: number[]; ys: Float32Array }> {
  const { train } = await loadTaskData(task);
  const { data } = coordinator.tasks.get(task);
  const { features } = selectExamples(
    train,
    Uint32Array.from({ length: 5 }, (_, i) => 7 * i),
  );
  const xs = normaliseFeatures(features, data);
  const model = await tf.loadLayersModel(`${folderOf(task)}/model.json`);
  const shape = [5, ...((model.inputs[0] as tf.SymbolicTensor).shape.slice(1) as number[])];
  const ys = tf.tidy(() => (model.predict(tf.tensor(xs, shape)) as tf.Tensor).dataSync<'float32'>());
  model.dispose();
  return { xs, shape, ys };
}

it('float16 is read by plain tfjs, each weight as near as float16 is', async () => {
  const { xs, shape, ys } = await answered('mnist-cnn');
  const whole = new Float32Array(await (await file('mnist-cnn', 'weights.bin')).arrayBuffer());
  const half = await file('mnist-cnn', 'weights-float16.bin');
  expect(half.headers.get('content-length')).toBe(String(2 * whole.length));
  const model = await tf.loadLayersModel(`${folderOf('mnist-cnn')}/model-float16.json`);
  const read = model.weights.flatMap((weight) => [...weight.read().dataSync()]);
  // Half of a unit in the last of 11 digits; below 2^-14 of the smallest one.
  for (const [i, weight] of whole.entries())
    if (!(Math.abs((read[i] as number) - weight) <= Math.max(Math.abs(weight) * 2 ** -11, 2 ** -25)))
      expect.fail(`weight ${i}: ${weight} became ${read[i]}`);
  const outputs = tf.tidy(() => (model.predict(tf.tensor(xs, shape)) as tf.Tensor).dataSync());
  for (const [i, y] of ys.entries()) expect(Math.abs((outputs[i] as number) - y)).toBeLessThan(1e-3);
  model.dispose();
});

it('files have tags, can be read in parts, and by pages of every origin', async () => {
  for (const name of ['weights-float16.bin', 'model.safetensors', 'model.onnx']) {
    const first = await file('iris', name, { origin: 'https://elsewhere.example' });
    const bytes = new Uint8Array(await first.arrayBuffer());
    expect([first.status, first.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect(first.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const etag = first.headers.get('etag') as string;
    expect((await file('iris', name, { 'if-none-match': etag })).status).toBe(304);
    const part = await file('iris', name, { range: 'bytes=4-9' });
    expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([206, bytes.subarray(4, 10)]);
    const head = await fetch(`${folderOf('iris')}/${name}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  }
});

it('files of a run that is not open are refused as its weights are', async () => {
  const { id } = await coordinator.runs.create('iris', {}, false, { admission: 'invited' });
  for (const name of [
    'weights.bin',
    'weights-float16.bin',
    'model-float16.json',
    'model.safetensors',
    'model.onnx',
  ]) {
    const at = `${coordinator.url}/models/iris/runs/${id}/0/${name}`;
    const answer = await fetch(at);
    expect([answer.status, (await answer.json()).error.code]).toEqual([403, 'run-not-admitted']);
    expect((await fetch(at, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).status).toBe(200);
  }
});

it('a model with a layer that has no translation has all files but ONNX, whose refusal names the layer', async () => {
  const layer = (class_name: string, config: object) => ({ class_name, config });
  const task: CreateTask = {
    id: 'masked',
    title: { en: 'Masked' },
    description: { en: 'Steps that are left out.' },
    data: {
      kind: 'table',
      features: ['a', 'b', 'c'].map((name) => ({ name, mean: 0, scale: 1 })),
      target: { kind: 'class', name: 'kind', classes: ['x', 'y'] },
    },
    heldOut: 0.1,
    licence: 'CC BY 4.0',
    model: {
      class_name: 'Sequential',
      config: {
        name: 'masked',
        layers: [
          layer('Embedding', {
            name: 'words',
            input_dim: 4,
            output_dim: 2,
            mask_zero: true,
            batch_input_shape: [null, 3],
          }),
          layer('LSTM', { name: 'steps', units: 2 }),
          layer('Dense', { name: 'head', units: 2, activation: 'softmax' }),
        ],
      },
    },
  };
  const made = await fetch(`${coordinator.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(task),
  });
  expect(await made.json()).toMatchObject({ id: 'masked', licence: 'CC BY 4.0' });
  runs['masked'] = (await coordinator.runs.create('masked', {}, false)).id;
  const refused = await file('masked', 'model.onnx');
  expect([refused.status, refused.headers.get('cache-control')]).toEqual([422, null]);
  expect((await refused.json()).error).toEqual({
    code: 'export-unsupported',
    message: expect.stringMatching(/the layer "words" masks zeros/),
  });
  expect((await file('masked', 'model.safetensors')).status).toBe(200);
  expect((await (await file('masked', 'model.json')).json()).userDefinedMetadata.coppice.licence).toBe(
    'CC BY 4.0',
  );
});

/** Reads the files of a folder, and compares with what is in facts.json. */
const READ = `
import json, numpy, onnxruntime
from safetensors import safe_open
facts = json.load(open('facts.json'))
with safe_open('model.safetensors', 'np') as opened:
    about = json.loads(opened.metadata()['coppice'])
    weights = numpy.concatenate([opened.get_tensor(name).ravel() for name in facts['names']])
    names = sorted(opened.keys())
expected = numpy.fromfile('weights.bin', '<f4')
half = numpy.fromfile('weights-float16.bin', '<f2')
session = onnxruntime.InferenceSession('model.onnx')
inputs = numpy.array(facts['xs'], numpy.float32).reshape(facts['shape'])
outputs, = session.run(None, {'input': inputs})
onnx = json.loads(session.get_modelmeta().custom_metadata_map['coppice'])
print(json.dumps({
    'about': about, 'onnx': onnx, 'names': names,
    'same': bool((weights == expected).all()),
    'half': bool((half == expected.astype(numpy.float16)).all()),
    'error': float(numpy.abs(outputs.ravel() - numpy.array(facts['ys'])).max()),
}))
`;

describe.skipIf(!hasPython && process.env.CI !== 'true')('in Python', () => {
  it.each(['iris', 'mnist-cnn'])(
    'safetensors has the weights of %s to the bit, onnxruntime its answers to 1e-5',
    async (task) => {
      const here = mkdtempSync(join(folder, 'python-'));
      for (const name of ['weights.bin', 'weights-float16.bin', 'model.safetensors', 'model.onnx'])
        writeFileSync(join(here, name), new Uint8Array(await (await file(task, name)).arrayBuffer()));
      const { weightsManifest, userDefinedMetadata } = await (await file(task, 'model.json')).json();
      const names: string[] = weightsManifest[0].weights.map(({ name }: { name: string }) => name);
      const { xs, shape, ys } = await answered(task);
      writeFileSync(join(here, 'facts.json'), JSON.stringify({ names, xs: [...xs], shape, ys: [...ys] }));
      const read = JSON.parse(await python(READ, { folder: here }));
      expect(read).toMatchObject({
        about: userDefinedMetadata.coppice,
        onnx: userDefinedMetadata.coppice,
        names: [...names].sort(),
        same: true,
        half: true,
      });
      expect(read.error).toBeLessThan(1e-5);
    },
  );
});

describe.skipIf(!hasPython && process.env.CI !== 'true')('the programs in docs/embedding.md', () => {
  const text = readFileSync(new URL('../docs/embedding.md', import.meta.url), 'utf8');
  const programs = [...text.matchAll(/^```python\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  const run = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await python(programOf(name), { folder }));
  /** The program that names a file, about the first models of this coordinator. */
  const programOf = (name: string): string => {
    const [code = '', ...others] = programs.filter((one) => one.includes(name));
    expect([code === '', others.length], name).toEqual([false, 0]);
    return code.replaceAll(/https:\/\/learn\.example\.org\/models\/(\w+)\/production/g, (_, task: string) =>
      folderOf(task),
    );
  };

  /** The answer of plain tfjs for one example in stored form, by class. */
  const expected = async (task: string, example: Uint8Array | Float64Array) => {
    const { data } = coordinator.tasks.get(task);
    const model = await tf.loadLayersModel(`${folderOf(task)}/model.json`);
    const shape = [1, ...((model.inputs[0] as tf.SymbolicTensor).shape.slice(1) as number[])];
    const xs = tf.tensor(normaliseFeatures(example, data), shape);
    const ys = [...(model.predict(xs) as tf.Tensor).dataSync()];
    return Object.fromEntries(
      (classesOf(data) ?? []).map((name, i) => [name, expect.closeTo(ys[i] as number, 5)]),
    );
  };

  it('are all run here', () => expect(programs).toHaveLength(3));

  it('answer a row as tfjs does', async () => {
    expect(await run('models/iris/production/model.onnx')).toEqual(
      await expected('iris', Float64Array.of(6.3, 2.9, 5.6, 1.8)),
    );
  });

  it('prepare a photo as devices do, to one of 255 in each number', async () => {
    const photos = {
      id: 'photos',
      title: { en: 'Photos' },
      description: { en: 'Photos of two kinds.' },
      data: { kind: 'image', width: 12, height: 8, channels: 3, classes: ['left', 'right'] },
      model: {
        class_name: 'Sequential',
        config: {
          name: 'photos',
          layers: [
            { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 8, 12, 3] } },
            { class_name: 'Dense', config: { name: 'head', units: 2, activation: 'softmax' } },
          ],
        },
      },
    };
    const made = await fetch(`${coordinator.url}/api/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(photos),
    });
    expect(made.status).toBe(201);
    runs['photos'] = (await coordinator.runs.create('photos', {}, false)).id;
    const [width, height] = [61, 97];
    const random = seededRandom('photo');
    const pixels = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : uniform(random) * 256,
    );
    writeFileSync(join(folder, 'photo.raw'), pixels);
    await python(
      `from PIL import Image; Image.frombytes('RGBA', (${width}, ${height}), open('photo.raw', 'rb').read()).save('photo.png')`,
      { folder },
    );
    const { data } = coordinator.tasks.get('photos');
    if (data.kind !== 'image') throw new Error('photos are pictures');
    const bytes = prepareImage({ width, height, data: pixels }, data);
    // The program's own pixels, before they are scaled.
    const told = JSON.parse(
      await python(
        `${programOf('models/photos/production/model.onnx').split('low, high')[0]}
print(json.dumps(pixels.ravel().tolist()))`,
        { folder },
      ),
    ) as number[];
    const off = told.map((byte, i) => Math.abs(byte - (bytes[i] as number)));
    expect([off.length, Math.max(...off) <= 1]).toEqual([bytes.length, true]);
    const answers = await run('models/photos/production/model.onnx');
    const wanted = await expected('photos', Uint8Array.from(told));
    expect(answers).toEqual(wanted);
  });

  it('read the weights by name', async () => {
    const { weightsManifest } = await (await file('iris', 'model.json')).json();
    expect(await run('model.safetensors')).toEqual(
      Object.fromEntries(
        weightsManifest[0].weights.map(({ name, shape }: { name: string; shape: number[] }) => [name, shape]),
      ),
    );
  });
});
