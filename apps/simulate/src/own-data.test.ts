import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
    expect(stderr).toContain('36 of 180 rows are the test data');
  });

  it('trains on numbers, and tells the error in the unit of the target', async () => {
    const { code, done } = await simulate('--data', 'houses.csv', ...few);
    expect(code).toBe(0);
    expect(done?.accuracy).toBeNull();
    // The noise is 15,000; prices deviate by about 147,000.
    expect(done?.error).toBeGreaterThan(13_000);
    expect(done?.error).toBeLessThan(45_000);
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
    [['--data', 'none.csv'], '--data takes a file of data, and "none.csv" is not there'],
    [['--data', 'flowers.csv', '--target', 'colour'], 'colour'],
    [['--data', 'flowers.csv', '--test', 'houses.csv'], '--test houses.csv has no column'],
    [['--data', 'flowers.csv', '--partition', 'by-column:nobody'], 'there is no "nobody"'],
    [['--data', 'houses.csv', '--target-accuracy', '0.9'], '--target-accuracy A needs a task with classes'],
    [['--model', 'model.json'], '--model needs --data FILE'],
  ])('names the fault of %j', async (flags, named) => {
    const { code, stderr, rounds } = await simulate(...flags);
    expect(code).not.toBe(0);
    expect(rounds).toEqual([]);
    expect(stderr).toContain(named);
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
