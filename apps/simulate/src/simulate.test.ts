import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, startCoordinator } from '@coppice/coordinator';
import { afterAll, describe, expect, it } from 'vitest';
import type { DoneEvent, RoundEvent } from './events.ts';
import { readOptions, UsageError } from './options.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-simulate-test-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly rounds: RoundEvent[];
  readonly done: DoneEvent | null;
  readonly stdout: string;
  readonly stderr: string;
}

function simulate(
  flags: readonly string[],
  onLine: (line: string, simulation: ChildProcess) => void = () => {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
    for (const line of String(chunk).split('\n')) if (line !== '') onLine(line, child);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const events = flags.includes('--json')
        ? stdout
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as RoundEvent | DoneEvent)
        : [];
      resolve({
        code,
        stdout,
        stderr,
        rounds: events.filter((event) => event.event === 'round'),
        done: events.find((event) => event.event === 'done') ?? null,
      });
    });
  });
}

const quick = ['--json', '--task', 'iris', '--clients', '6', '--rounds', '3', '--partition', 'shards:2'];

describe('pnpm simulate', () => {
  it('speaks JSON lines only, with the fields it promises, in order', async () => {
    const { code, rounds, done } = await simulate(quick);
    expect(code).toBe(0);
    expect(rounds.map((round) => round.round)).toEqual([1, 2, 3]);
    for (const round of rounds) {
      expect(Object.keys(round)).toEqual([
        'event',
        'round',
        'accuracy',
        'loss',
        'participants',
        'bytesUp',
        'bytesDown',
        'seconds',
        'capped',
        'scaled',
      ]);
      expect(round).toMatchObject({ participants: 6 });
      // At least the weights themselves, for each of six, each way: 131 parameters of four bytes.
      expect(Math.min(round.bytesUp, round.bytesDown)).toBeGreaterThan(6 * 131 * 4);
    }
    expect(Object.keys(done ?? {})).toEqual([
      'event',
      'rounds',
      'accuracy',
      'roundsToTarget',
      'checkpoint',
      'bytesUp',
      'bytesDown',
      'seconds',
      'capped',
      'scaled',
    ]);
    expect(done).toMatchObject({
      rounds: 3,
      roundsToTarget: null,
      checkpoint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(done?.bytesUp).toBe(rounds.reduce((sum, round) => sum + round.bytesUp, 0));
  });

  it('gives the same checkpoint for the same seed, whatever the number of threads and the dropout; another for another seed', async () => {
    const flags = [...quick, '--fraction', '0.7', '--dropout', '0.3'];
    const hashes = await Promise.all(
      [
        ['--seed', '4', '--processes', '1'],
        ['--seed', '4', '--processes', '3'],
        ['--seed', '5', '--processes', '2'],
        ['--seed', '4', '--processes', '2', '--invited'],
      ].map(async (more) => (await simulate([...flags, ...more])).done?.checkpoint),
    );
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
    // How they came in changes nothing of what they learn.
    expect(hashes[3]).toBe(hashes[0]);
  });

  it('gives the same checkpoint with codecs, too, residuals and steps included', async () => {
    const flags = [...quick, '--fraction', '0.7', '--dropout', '0.3', '--upload-codec', 'top10'];
    const hashes = await Promise.all(
      [
        ['--download-codec', 'int4', '--download-form', 'steps', '--processes', '1'],
        ['--download-codec', 'int4', '--download-form', 'steps', '--processes', '3'],
        ['--download-codec', 'int8', '--processes', '1'],
        ['--download-codec', 'int8', '--processes', '2'],
      ].map(async (more) => (await simulate([...flags, ...more])).done?.checkpoint),
    );
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
    expect(hashes[3]).toBe(hashes[2]);
  });

  it('exits 3 when the target is missed, 0 when it is reached, and says in which round', async () => {
    expect(await simulate([...quick, '--target-accuracy', '1'])).toMatchObject({
      code: 3,
      done: { roundsToTarget: null },
    });
    const reached = await simulate([...quick, '--target-accuracy', '0.2']);
    expect(reached).toMatchObject({ code: 0, done: { roundsToTarget: 1, rounds: 1 } });
  });

  it.each([
    [['--clients', '121'], '--clients N takes at most 120'],
    [['--clients', '60', '--partition', 'shards:3'], '--partition shards:S takes at most 2'],
  ])('exits 2 and names the flag where the examples do not go round: %j', async (flags, named) => {
    const { code, stdout, stderr } = await simulate(['--json', '--task', 'iris', '--rounds', '1', ...flags]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(named);
  });

  it('exits 2 where classes are to be dealt out and the labels are numbers', async () => {
    const flags = ['--json', '--task', 'regression', '--rounds', '1', '--partition', 'dirichlet:0.5'];
    const { code, stdout, stderr } = await simulate(flags);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--partition HOW takes iid or shards:S with regression, not "dirichlet:0.5"');
    expect(stderr).toContain('numbers as labels');
  });

  it('exits 1 with a named error where the coordinator cannot be reached', async () => {
    const { code, stdout, stderr } = await simulate([
      ...quick,
      '--url',
      'http://127.0.0.1:9',
      '--admin-key',
      'some-key',
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('[connection-lost]');
  });

  it('outlives a coordinator that goes away and comes back', async () => {
    const folder = newFolder();
    const start = (port: number) =>
      startCoordinator({
        config: { port, dataDir: folder, adminKey: 'the-key-of-this-test', logLevel: 'silent' },
      });
    let coordinator = await start(0);
    const { url } = coordinator;
    let away: Promise<void> | null = null;
    const outcome = await simulate(
      [...quick, '--rounds', '30', '--url', url, '--admin-key', 'the-key-of-this-test'],
      (line) => {
        if (!line.includes('"round":5,') || away !== null) return;
        away = coordinator.close().then(async () => {
          coordinator = await start(Number(new URL(url).port));
        });
      },
    );
    await away;
    await coordinator.close();
    expect(away).not.toBeNull();
    expect(outcome).toMatchObject({ code: 0, done: { rounds: 30 } });
    expect(outcome.rounds.map((round) => round.round)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    // Nothing was lost or counted twice: the model is the one that an undisturbed run makes.
    const undisturbed = await simulate([...quick, '--rounds', '30']);
    expect(outcome.done?.checkpoint).toBe(undisturbed.done?.checkpoint);
  });

  it('ends where clients drop out so often that some attempts lose everyone', async () => {
    const { code, rounds } = await simulate([
      ...['--json', '--task', 'iris', '--clients', '5', '--rounds', '60', '--dropout', '0.5'],
    ]);
    expect(code).toBe(0);
    expect(rounds).toHaveLength(60);
  });

  it('gives up a round that is abandoned 20 times in a row, and gives the reason', async () => {
    const { code, stdout, stderr } = await simulate([
      ...['--json', '--task', 'iris', '--clients', '1', '--rounds', '3', '--dropout', '0.999'],
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.match(/^Round 1 was abandoned:/gm)).toHaveLength(20);
    expect(stderr).toMatch(/^Round 1 was abandoned 20 times in a row.*--dropout.*\[quorum-lost\]$/m);
  });

  describe("on somebody else's coordinator", () => {
    const key = 'the-key-of-this-test';
    const elsewhere = async (config: Partial<Config> = {}) => {
      const coordinator = await startCoordinator({
        config: { port: 0, dataDir: newFolder(), adminKey: key, logLevel: 'silent', ...config },
      });
      return { coordinator, flags: [...quick, '--url', coordinator.url, '--admin-key', key] };
    };

    it('stops its run when it is interrupted, and names it', async () => {
      const { coordinator, flags } = await elsewhere();
      const { code, stderr } = await simulate([...flags, '--rounds', '100000'], (line, simulation) => {
        if (line.includes('"round":3,')) simulation.kill('SIGINT');
      });
      const runs = coordinator.runs.all().map(({ id, status }) => [id, status]);
      await coordinator.close();
      expect(code).toBe(130);
      expect(runs).toEqual([['iris-1', 'stopped']]);
      expect(stderr).toMatch(
        /The simulation was interrupted after \d+ of 100000 rounds\. Its run iris-1 was stopped\. \[run-ended\]/,
      );
    });

    it('stops its run when it fails before the start, and names it', async () => {
      const { coordinator, flags } = await elsewhere({ connectionsPerAddress: 3 });
      const { code, stderr } = await simulate(flags);
      const runs = coordinator.runs.all().map(({ id, status }) => [id, status]);
      await coordinator.close();
      expect(code).toBe(1);
      expect(runs).toEqual([['iris-1', 'stopped']]);
      expect(stderr).toContain('Its run iris-1 was stopped.');
      expect(stderr).toContain('--connections-per-address');
    });

    it('leaves a run that is over as it is', async () => {
      const { coordinator, flags } = await elsewhere();
      expect((await simulate(flags)).code).toBe(0);
      const [run] = coordinator.runs.all();
      await coordinator.close();
      expect(run?.status).toBe('finished');
    });

    it('says so where its run cannot be stopped any more', async () => {
      const { coordinator, flags } = await elsewhere();
      let closed: Promise<void> | null = null;
      const { code, stderr } = await simulate([...flags, '--rounds', '100000'], (line, simulation) => {
        if (line.includes('"round":3,'))
          closed = coordinator.close().then(() => void simulation.kill('SIGINT'));
      });
      await closed;
      expect(code).toBe(130);
      expect(stderr).toContain('Its run iris-1 could not be stopped (');
    });
  });

  it('goes on from a model that a coordinator has, and repeats it', async () => {
    const coordinator = await startCoordinator({
      config: { port: 0, dataDir: newFolder(), adminKey: 'the-key-of-this-test', logLevel: 'silent' },
    });
    const there = [...quick, '--url', coordinator.url, '--admin-key', 'the-key-of-this-test'];
    const first = await simulate(there);
    const second = await simulate([...there, '--from', 'iris-1/3']);
    await coordinator.releases.move('iris', 'production', {
      checkpoint: 'iris-1/3',
      expected: null,
      reason: 'The best so far.',
      by: { by: 'admin', name: 'a test' },
    });
    const third = await simulate([...there, '--from', 'production']);
    const unknown = await simulate([...there, '--from', 'iris-1/4']);
    const [end, , , begin] = await coordinator.storage.checkpoints('iris-2');
    expect(coordinator.runs.get('iris-2')).toMatchObject({ from: 'iris-1/3', status: 'finished' });
    await coordinator.close();
    expect(begin).toMatchObject({ id: 'iris-2/0', parent: 'iris-1/3', hash: first.done?.checkpoint });
    expect(end).toMatchObject({ id: 'iris-2/3', parent: 'iris-2/2', hash: second.done?.checkpoint });
    expect(second.done?.checkpoint).not.toBe(first.done?.checkpoint);
    expect(third.done?.checkpoint).toBe(second.done?.checkpoint);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('[checkpoint-unknown]')]);
  });

  it('writes a report that needs nothing else, with the numbers beside it', async () => {
    const folder = newFolder();
    const { code, done } = await simulate([...quick, '--report', folder]);
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain(done?.checkpoint.slice(0, 12));
    expect(readFileSync(join(folder, 'rounds.csv'), 'utf8').trim().split('\n')).toHaveLength(4);
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({
      done: { checkpoint: done?.checkpoint },
    });
  });
});

describe('its flags', () => {
  it.each([
    [['--clients', '0'], '--clients N'],
    [['--clients', 'x'], '--clients N'],
    [['--fraction', '0'], '--fraction C'],
    [['--fraction', '2'], '--fraction C'],
    [['--rounds', '1.5'], '--rounds R'],
    [['--partition', 'shards:0'], '--partition HOW'],
    [['--partition', 'nonsense'], '--partition HOW'],
    [['--dropout=-1'], '--dropout P'],
    [['--dropout', '-1'], '--dropout P takes a number from 0 to below 1, not "-1"'],
    [['--dropout', '1'], '--dropout P takes a number from 0 to below 1'],
    [['--over-select', '0.5'], '--over-select X'],
    [['--strategy', 'fedfoo'], '--strategy NAME'],
    [['--upload-codec', 'int9'], '--upload-codec NAME'],
    [['--backend', 'gpu'], '--backend NAME'],
    [['--learning-rate', 'NaN'], '--learning-rate'],
    [['--target-accuracy', '97'], '--target-accuracy A'],
    [['--url', 'nonsense', '--admin-key', 'k'], '--url URL'],
    [['--url', 'http://x'], '--admin-key'],
    [['--from', 'iris-1/5'], '--url URL'],
    [['--from', 'iris-1', '--url', 'http://x', '--admin-key', 'k'], '--from CHECKPOINT'],
    [['--bogus'], '--bogus'],
    [['--fraction', '0.5', '--cohort', '3'], '--cohort'],
    [['--clients', '3', '--cohort', '4'], '--cohort K'],
    [['--clients', '3', '--min-participants', '4'], '--min-participants N'],
    [['--plan', 'epochs'], '--plan KEY=VALUE takes a field of the plan'],
    [['--plan', 'epoch=2'], 'The fields are: strategy, '],
    [['--plan', 'epochs=0'], '--plan epochs=VALUE takes a whole number from 1'],
    [['--plan', 'clipNorm=much'], '--plan clipNorm=VALUE takes a number'],
    [['--plan', 'epochs=2', '--epochs', '3'], '--plan epochs=VALUE is given twice'],
    [['--plan', 'trimShare=0.1'], 'The fields are'],
    [['--partition', 'by-column:'], '--partition HOW'],
    [['--partition', 'quantity-skew:0'], '--partition HOW'],
    [['--partition', 'feature-skew:x'], '--partition HOW'],
    [['--run', 'iris-1'], '--run ID needs --url URL'],
    [['--run', 'iris-1', '--url', 'http://x', '--epochs', '2'], '--epochs cannot be given with --run ID'],
    [['--invitation', 'abc'], '--invitation SECRET needs --run ID'],
    [['--data-dir', 'x', '--url', 'http://x', '--admin-key', 'k'], '--data-dir DIR'],
    [['--trace', '/nowhere/trace.csv'], '--trace FILE: /nowhere/trace.csv cannot be read'],
  ])('%j: names the flag and what it takes', (argv, named) => {
    expect(() => readOptions(argv, {})).toThrow(UsageError);
    expect(() => readOptions(argv, {})).toThrow(named);
  });

  it('have the defaults that are promised', () => {
    expect(readOptions([], {})).toMatchObject({
      task: 'mnist-2nn',
      clients: 20,
      partition: 'iid',
      dropout: 0,
      backend: 'planned',
      json: false,
      invited: false,
      from: null,
    });
    expect(readOptions([], {})).toMatchObject({
      plan: {
        rounds: 20,
        strategy: 'fedavg',
        uploadCodec: 'float32',
        downloadCodec: 'float32',
        downloadForm: 'whole',
        seed: 1,
        overSelection: 1,
      },
    });
    expect(readOptions(['--target-accuracy', '0.97'], {})).toMatchObject({ plan: { rounds: 1000 } });
  });
});
