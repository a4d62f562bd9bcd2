import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { startCoordinator } from '@coppice/coordinator';
import { normal, seededRandom, uniform } from '@coppice/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoneEvent, RoundEvent } from './events.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-own-data-'));
  writeFileSync(join(folder, 'flowers.csv'), flowers());
  writeFileSync(join(folder, 'houses.csv'), houses());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three kinds of flowers, well apart; an id, and the site of each. */
function flowers(): string {
  const random = seededRandom('flowers');
  const rows = Array.from({ length: 180 }, (_, row) => {
    const kind = row % 3;
    const size = 2 + 2 * kind + 0.3 * normal(random);
    return `${row},${size.toFixed(2)},${(5 - kind + 0.3 * normal(random)).toFixed(2)},site ${row % 5},${['rose', 'iris', 'lily'][kind]}`;
  });
  return ['id,length,width,site,kind', ...rows].join('\n');
}

/** Prices in whole currency, of areas, with a decimal comma. */
function houses(): string {
  const random = seededRandom('houses');
  const rows = Array.from({ length: 300 }, () => {
    const area = 30 + 170 * uniform(random);
    const price = 3000 * area + 15_000 * normal(random);
    return `${area.toFixed(1).replace('.', ',')};${price.toFixed(2).replace('.', ',')}`;
  });
  return ['area;price', ...rows].join('\n');
}

/** A PNG file (W3C, PNG specification) of 8-bit RGB, whose blue is half of the shade. */
function png(width: number, height: number, shadeAt: (x: number) => number): Uint8Array {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const shade = shadeAt(x);
      rows.set([shade, shade, shade / 2], y * (1 + 3 * width) + 1 + 3 * x);
    }
  const chunk = (kind: string, content: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(kind), content]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(content.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

interface Outcome {
  readonly code: number | null;
  readonly rounds: RoundEvent[];
  readonly done: DoneEvent | null;
  readonly stderr: string;
}

function simulate(...flags: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [main, '--json', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const events = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as RoundEvent | DoneEvent);
      resolve({
        code,
        stderr,
        rounds: events.filter((event) => event.event === 'round'),
        done: events.find((event) => event.event === 'done') ?? null,
      });
    });
  });
}

const few = ['--clients', '6', '--rounds', '8'];

describe('pnpm simulate --data', () => {
  it('trains on a file with classes, without any other choice', async () => {
    const { code, done, stderr } = await simulate('--data', 'flowers.csv', ...few);
    expect(code).toBe(0);
    expect(done?.accuracy).toBeGreaterThan(0.9);
    expect(stderr).toContain('The column "id" is no feature (index).');
    expect(stderr).toContain('36 of 180 examples are the test data');
  });

  it('trains on numbers, and tells the error in the unit of the target', async () => {
    const { code, done } = await simulate('--data', 'houses.csv', ...few);
    expect(code).toBe(0);
    expect(done?.accuracy).toBeNull();
    // The noise is 15,000; prices deviate by about 147,000.
    expect(done?.error).toBeGreaterThan(13_000);
    expect(done?.error).toBeLessThan(45_000);
  });

  it('trains on a folder of pictures, with a folder for each class', async () => {
    const random = seededRandom('pictures');
    for (const [label, name] of ['dark', 'light', 'striped'].entries()) {
      mkdirSync(join(folder, 'pictures', name), { recursive: true });
      for (let i = 0; i < 30; i++) {
        const shadeAt = (x: number) =>
          (label === 1 || (label === 2 && x % 4 < 2) ? 200 : 40) + 40 * uniform(random);
        writeFileSync(join(folder, 'pictures', name, `${i}.png`), png(12, 10, shadeAt));
      }
    }
    writeFileSync(join(folder, 'pictures', 'dark', 'notes.txt'), 'no picture');
    const { code, done, stderr } = await simulate('--data', 'pictures', ...few);
    expect(code).toBe(0);
    expect(done?.accuracy).toBeGreaterThan(0.9);
    expect(stderr).toContain('pictures: 90 pictures of 10 × 10 in 3 classes.');
    expect(stderr).toContain('notes.txt was left out');
  });

  it('takes the target, the test data, the model and the task that are given', async () => {
    const features = [{ name: 'length' }, { name: 'width' }];
    const target = { kind: 'class', name: 'kind', classes: ['iris', 'lily', 'rose'] };
    const units = (units: number, activation: string, shape?: number[]) => ({
      class_name: 'Dense',
      config: { units, activation, name: activation, ...(shape && { batch_input_shape: [null, ...shape] }) },
    });
    const layers = [units(8, 'relu', [2]), units(3, 'softmax')];
    writeFileSync(
      join(folder, 'task.json'),
      JSON.stringify({
        id: 'my-flowers',
        title: { en: 'My flowers' },
        data: { kind: 'table', features, target },
      }),
    );
    writeFileSync(
      join(folder, 'model.json'),
      JSON.stringify({ modelTopology: { class_name: 'Sequential', config: { name: 'mine', layers } } }),
    );
    const report = join(folder, 'report');
    const { code, done } = await simulate(
      ...['--data', 'flowers.csv', '--test', 'flowers.csv', '--task-file', 'task.json'],
      ...['--model', 'model.json', '--report', report, ...few],
    );
    expect(code).toBe(0);
    expect(done?.accuracy).toBeGreaterThan(0.8);
    expect(JSON.parse(readFileSync(join(report, 'report.json'), 'utf8'))).toMatchObject({
      task: { id: 'my-flowers', title: 'My flowers' },
      // 2·8 + 8 and 8·3 + 3.
      parameters: 51,
      // All rows: none is kept for a test of its own.
      partition: { perClient: [30, 30, 30, 30, 30, 30] },
      fairness: { on: 'own', measure: 'accuracy' },
    });
  });

  it('deals out by a column of the file, one client a value', async () => {
    const report = join(folder, 'by-column');
    const { code } = await simulate(
      ...['--data', 'flowers.csv', '--test', 'flowers.csv', '--rounds', '2'],
      ...['--partition', 'by-column:site', '--report', report],
    );
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(join(report, 'report.json'), 'utf8'))).toMatchObject({
      partition: {
        perClient: [36, 36, 36, 36, 36],
        clientNames: ['site 0', 'site 1', 'site 2', 'site 3', 'site 4'],
      },
    });
  });

  it.each([
    [['--data', 'none.csv'], '--data takes a file or folder of data, and "none.csv" is not there'],
    [['--data', 'flowers.csv', '--target', 'colour'], 'colour'],
    [['--data', 'flowers.csv', '--test', 'houses.csv'], '--test houses.csv has no column'],
    [['--data', 'flowers.csv', '--partition', 'by-column:nobody'], 'there is no "nobody"'],
    [['--data', 'houses.csv', '--target-accuracy', '0.9'], '--target-accuracy A needs a task with classes'],
    [['--model', 'model.json'], '--model needs --data PATH'],
  ])('names the fault of %j', async (flags, named) => {
    const { code, stderr, rounds } = await simulate(...flags);
    expect(code).not.toBe(0);
    expect(rounds).toEqual([]);
    expect(stderr).toContain(named);
  });

  it('begins with the weights that are in the file of the model', async () => {
    const report = join(folder, 'first');
    const first = await simulate('--data', 'flowers.csv', '--report', report, ...few);
    const key = 'the-key-of-this-test';
    const coordinator = await startCoordinator({
      config: { port: 0, dataDir: join(folder, 'weights'), adminKey: key, logLevel: 'silent' },
    });
    const { code, stderr } = await simulate(
      ...['--url', coordinator.url, '--admin-key', key, '--data', 'flowers.csv', '--clients', '6'],
      ...['--rounds', '1', '--model', join(report, 'model.json'), '--task', 'going-on'],
    );
    const checkpoints = await coordinator.storage.checkpoints('going-on-1');
    await coordinator.close();
    expect(code).toBe(0);
    expect(stderr).toContain('The run begins with the weights of');
    expect(checkpoints.find(({ round }) => round === 0)?.hash).toBe(first.done?.checkpoint);
  });

  it('takes a Keras file', async () => {
    const fixtures = new URL('../../../packages/model-files/src/fixtures/', import.meta.url);
    const keras = (name: string) =>
      simulate('--data', 'flowers4.csv', '--model', fileURLToPath(new URL(name, fixtures)), ...few);
    // The model takes four numbers.
    const wide = flowers()
      .split('\n')
      .map((line) => line.replace(/^([^,]*),([^,]*),([^,]*),[^,]*,/, '$1,$2,$3,$2,$3,'))
      .map((line, row) => (row === 0 ? 'id,length,width,length2,width2,kind' : line));
    writeFileSync(join(folder, 'flowers4.csv'), wide.join('\n'));
    const [zipped, hdf5] = [await keras('mlp.keras'), await keras('mlp.h5')];
    expect(zipped.code).toBe(0);
    expect(zipped.done?.accuracy).toBeGreaterThan(0.6);
    // The same weights in both.
    expect(hdf5.done?.checkpoint).toBe(zipped.done?.checkpoint);
  });

  it('makes its task on another coordinator, and measures the last model itself', async () => {
    const key = 'the-key-of-this-test';
    const coordinator = await startCoordinator({
      config: { port: 0, dataDir: join(folder, 'coordinator'), adminKey: key, logLevel: 'silent' },
    });
    const flags = ['--url', coordinator.url, '--admin-key', key, '--data', 'flowers.csv', ...few];
    const first = await simulate(...flags);
    const again = await simulate(...flags);
    await coordinator.close();
    expect(first).toMatchObject({ code: 0, done: { accuracy: expect.any(Number) } });
    expect(first.done?.accuracy).toBeGreaterThan(0.9);
    expect(again.done?.checkpoint).toBe(first.done?.checkpoint);
  });
});
