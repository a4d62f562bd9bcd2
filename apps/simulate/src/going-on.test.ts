import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCoordinator } from '@coppice/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoneEvent, RoundEvent } from './events.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-going-on-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly rounds: RoundEvent[];
  readonly done: DoneEvent | null;
  readonly stderr: string;
}

function simulate(
  flags: readonly string[],
  onLine: (line: string, simulation: ChildProcess) => void = () => {},
): Promise<Outcome> {
  return ended(
    spawn(process.execPath, [main, '--json', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] }),
    onLine,
  );
}

function ended(
  child: ChildProcess,
  onLine: (line: string, simulation: ChildProcess) => void = () => {},
): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
    for (const line of String(chunk).split('\n')) if (line !== '') onLine(line, child);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      // A process that was killed may have left half a line.
      const events = stdout
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
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

describe('pnpm simulate --data-dir', () => {
  it('goes on after it was killed, to the same bits as one that was not', async () => {
    const flags = ['--task', 'iris', '--clients', '6', '--rounds', '60', '--fraction', '0.7'];
    flags.push('--dropout', '0.3', '--strategy', 'scaffold', '--upload-codec', 'top10');
    const kept = ['--data-dir', join(folder, 'kept')];
    const report = join(folder, 'report');
    const killed = await simulate([...flags, ...kept], (line, simulation) => {
      if (line.includes('"round":5,')) simulation.kill('SIGKILL');
    });
    const interrupted = await simulate([...flags, ...kept, '--report', report], (line, simulation) => {
      if (line.includes('"round":12,')) simulation.kill('SIGINT');
    });
    const resumed = await simulate([...flags, ...kept]);
    const undisturbed = await simulate(flags);
    expect([killed.code, killed.done]).toEqual([null, null]);
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toMatch(
      /interrupted after \d+ of 60 rounds\. The same command with --data-dir/,
    );
    const early = JSON.parse(readFileSync(join(report, 'report.json'), 'utf8'));
    expect(early).toMatchObject({ early: { how: 'interrupted' }, hasModel: true, planned: 60 });
    // All rounds, those before the first end included.
    const written = readFileSync(join(report, 'rounds.jsonl'), 'utf8').trimEnd().split('\n');
    expect(written.map((line) => JSON.parse(line).round)).toEqual(written.map((_, at) => at + 1));
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/Going on after round \d+ of 60\./);
    expect(resumed.done).toMatchObject({ rounds: 60, checkpoint: undisturbed.done?.checkpoint });
    // Once it is over it only tells its end.
    const over = await simulate([...flags, ...kept]);
    expect([over.rounds, over.done?.checkpoint]).toEqual([[], undisturbed.done?.checkpoint]);
  }, 240_000);

  it('refuses other flags by name', async () => {
    const flags = ['--task', 'iris', '--clients', '3', '--data-dir', join(folder, 'other')];
    expect((await simulate([...flags, '--rounds', '1'])).code).toBe(0);
    const { code, stderr } = await simulate([...flags, '--rounds', '2']);
    expect(code).toBe(2);
    expect(stderr).toContain('keeps a simulation with --rounds "1", not "2"');
  });
});

it('lets clients be away by a trace, and slow ones change nothing of the result', async () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return ['--trace', join(folder, name)];
  };
  const flags = ['--task', 'iris', '--clients', '4', '--rounds', '3'];
  const away = await simulate([...flags, ...file('away.csv', 'client,from,to,available\n1,2,2,0\n3,2,,0\n')]);
  expect(away.rounds.map(({ participants }) => participants)).toEqual([4, 2, 3]);
  const slow = await simulate([...flags, ...file('slow.json', '[{"client": 2, "slowdown": 3}]')]);
  const plain = await simulate(flags);
  expect(slow.done?.checkpoint).toBe(plain.done?.checkpoint);
  expect(away.done?.checkpoint).not.toBe(plain.done?.checkpoint);
});

it('sets any field of the plan by its name', async () => {
  const flags = ['--task', 'iris', '--clients', '4', '--rounds', '2'];
  const byName = await simulate([...flags, '--plan', 'optimizer=adam', '--plan', 'epochs=3']);
  const byFlag = await simulate([...flags, '--optimizer', 'adam', '--epochs', '3']);
  expect(byName.code).toBe(0);
  expect(byName.done?.checkpoint).toBe(byFlag.done?.checkpoint);
});

describe('pnpm simulate --run', () => {
  const key = 'the-key-of-this-test';
  const coordinatorWith = async (plan: object, admission: 'open' | 'invited') => {
    const coordinator = await startCoordinator({
      config: { port: 0, dataDir: mkdtempSync(join(folder, 'run-')), adminKey: key, logLevel: 'silent' },
    });
    const post = async (path: string, body: object) => {
      const response = await fetch(coordinator.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as { id: string; secret: string };
    };
    const run = await post('/api/runs', { task: 'iris', plan, admission });
    return { coordinator, run: run.id, post };
  };

  it('joins an open run without a key, and leaves it as it goes on', async () => {
    const { coordinator, run } = await coordinatorWith({ rounds: 2, minParticipants: 3 }, 'open');
    const flags = ['--url', coordinator.url, '--run', run, '--clients', '3'];
    const { code, rounds, done } = await simulate(flags);
    const status = coordinator.runs.get(run).status;
    await coordinator.close();
    expect([code, status]).toEqual([0, 'finished']);
    expect(rounds.map(({ round, participants }) => [round, participants > 0])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(done?.checkpoint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('joins an invited run with its invitation, and does not stop it when it is interrupted', async () => {
    const { coordinator, run, post } = await coordinatorWith(
      { rounds: 10_000, minParticipants: 2 },
      'invited',
    );
    const { secret } = await post(`/api/runs/${run}/invitations`, { label: 'test', uses: 2 });
    const flags = ['--url', coordinator.url, '--admin-key', key, '--run', run, '--clients', '2'];
    const { code } = await simulate([...flags, '--invitation', secret], (line, simulation) => {
      if (line.includes('"round":2,')) simulation.kill('SIGINT');
    });
    const status = coordinator.runs.get(run).status;
    await coordinator.close();
    expect([code, status]).toEqual([130, 'running']);
  });

  it('names a second simulation with the same seed before it makes a run', async () => {
    const { coordinator, run } = await coordinatorWith({ rounds: 10_000, minParticipants: 2 }, 'open');
    const there = ['--url', coordinator.url, '--admin-key', key, '--clients', '2'];
    let second: Promise<Outcome> | null = null;
    await simulate([...there, '--run', run], (line, simulation) => {
      if (!line.includes('"round":2,')) return;
      second = simulate([...there, '--task', 'iris']).then((outcome) => {
        simulation.kill('SIGINT');
        return outcome;
      });
    });
    const refused = (await second) as Outcome | null;
    const runs = coordinator.runs.all().length;
    await coordinator.close();
    expect([refused?.code, runs]).toEqual([2, 1]);
    expect(refused?.stderr).toContain(
      `another simulation with seed 1 is connected to that coordinator, in the run ${run}`,
    );
  });
});

it('runs the command of the launch page exactly as it stands', async () => {
  const { simulateCommand } = await import('../../admin/src/launch/command.ts');
  const { builtInTask } = await import('@coppice/datasets');
  const { completePlan } = await import('@coppice/protocol');
  const defaults = completePlan(builtInTask('iris')?.planDefaults ?? {}, {});
  const plan = { ...defaults, rounds: 2, optimizer: 'adam' as const, learningRate: 0.05, clipNorm: 3 };
  const command = simulateCommand('iris', plan, { defaults, clients: 3, invited: true });
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(bin, 'pnpm'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(join(bin, 'pnpm'), 0o755);
  const child = spawn('/bin/sh', ['-c', `${command} --json`], {
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, rounds, stderr } = await ended(child);
  expect([code, rounds.length, stderr]).toEqual([0, 2, '']);
});
