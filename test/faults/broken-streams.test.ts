import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { onTerminal, PYTHON, servesOnBrokenStreams, serving, waysToBreak } from './broken-streams.ts';
import { answer, cleanEnvironment, ended, freePort, Leftovers, SIMULATE, START } from './program.ts';

const leftovers = new Leftovers();
afterAll(() => leftovers.end());

describe('pnpm start, with standard output and standard error', () => {
  it.each(waysToBreak)('%s: serves, counts the lines that are lost, and ends in good order', (way) =>
    servesOnBrokenStreams(leftovers, START, way),
  );
});

it('a reader that stops reading keeps nobody waiting', async () => {
  const path = join(leftovers.folder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, 'w');
  const port = await freePort();
  const at = `http://127.0.0.1:${port}`;
  const child = leftovers.spawn(
    process.execPath,
    [START, ...serving(leftovers, port), '--requests-per-minute', '0'],
    {
      stdio: ['ignore', writer, writer],
    },
  );
  closeSync(writer);
  const code = ended(child);
  await answer(`${at}/readyz`);
  // A pipe holds 64 KiB, which is some 300 lines; the path is in each.
  const long = `${at}/api/${'x'.repeat(4000)}`;
  for (let requests = 0; requests < 40; requests++) await answer(long);
  expect((await answer(`${at}/readyz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  closeSync(reader);
});

const quick = ['--task', 'iris', '--clients', '3', '--rounds', '3', '--processes', '1'];

describe('pnpm simulate, with standard error', () => {
  it('on a full disk: ends as ever', async () => {
    const full = openSync('/dev/full', 'w');
    // A client that drops out makes a warning.
    const child = leftovers.spawn(process.execPath, [SIMULATE, '--json', ...quick, '--dropout', '0.7'], {
      stdio: ['ignore', 'pipe', full],
    });
    closeSync(full);
    child.stdout?.resume();
    expect(await ended(child)).toBe(0);
  });

  it('closed: ends as ever', async () => {
    const child = leftovers.spawn(process.execPath, [SIMULATE, '--json', ...quick, '--dropout', '0.7'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr?.destroy();
    child.stdout?.resume();
    expect(await ended(child)).toBe(0);
  });
});

describe('pnpm simulate, with standard output', () => {
  it.each([
    ['JSON', ['--json']],
    ['a table', []],
  ])(
    'on a full disk, for %s: trains on, and says by its exit code that the results are incomplete',
    async (_, more) => {
      const full = openSync('/dev/full', 'w');
      const report = leftovers.folder();
      const child = leftovers.spawn(process.execPath, [SIMULATE, ...quick, ...more, '--report', report], {
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      let told = '';
      child.stderr?.on('data', (chunk) => {
        told += chunk;
      });
      expect(await ended(child)).toBe(1);
      expect(told).toContain('Standard output could not be written (ENOSPC)');
      expect(readdirSync(report)).toContain('report.html');
    },
  );

  it.each([
    ['JSON', ['--json']],
    ['a table', []],
  ])(
    'closed by its reader after the first line of %s: ends at once, without a word, and leaves nothing',
    async (_, more) => {
      const folder = leftovers.folder();
      const child = leftovers.spawn(process.execPath, [SIMULATE, ...quick, '--rounds', '100000', ...more], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: cleanEnvironment({ TMPDIR: folder }),
      });
      let told = '';
      child.stderr?.on('data', (chunk) => {
        told += chunk;
      });
      child.stdout?.once('data', () => child.stdout?.destroy());
      expect(await ended(child)).toBe(141);
      expect(told).toBe('');
      expect(readdirSync(folder)).toEqual([]);
    },
  );
});

describe.skipIf(PYTHON === null)('when the terminal is closed', () => {
  it('pnpm start that it was the terminal of ends in good order', async () => {
    const port = await freePort();
    const terminal = await onTerminal(leftovers, 'leader', START, serving(leftovers, port));
    await answer(`http://127.0.0.1:${port}/readyz`);
    terminal.close();
    expect(await terminal.next()).toBe('closed');
    expect(await terminal.next()).toBe('ended 0');
  });

  it('pnpm start that only wrote to it serves on', async () => {
    const port = await freePort();
    const at = `http://127.0.0.1:${port}`;
    const terminal = await onTerminal(leftovers, 'plain', START, serving(leftovers, port));
    await answer(`${at}/readyz`);
    terminal.close();
    expect(await terminal.next()).toBe('closed');
    await answer(`${at}/healthz`);
    await answer(`${at}/healthz`);
    expect(JSON.parse((await answer(`${at}/readyz`)).body)).toMatchObject({
      ready: true,
      troubles: [{ part: 'log', code: 'EIO' }],
    });
    process.kill(terminal.pid, 'SIGTERM');
    expect(await terminal.next()).toBe('ended 0');
  });
});

describe('SIGHUP, for a coordinator without TLS', () => {
  async function started(environment: Readonly<Record<string, string>>) {
    const port = await freePort();
    const child = leftovers.spawn(process.execPath, [START, ...serving(leftovers, port)], {
      stdio: 'ignore',
      env: cleanEnvironment(environment),
    });
    const at = `http://127.0.0.1:${port}`;
    const code = ended(child);
    await answer(`${at}/readyz`);
    return { child, at, code };
  }

  it('is its end in good order', async () => {
    const { child, code } = await started({});
    child.kill('SIGHUP');
    expect(await code).toBe(0);
  });

  it('is nothing where nohup started it', async () => {
    const { child, at, code } = await started({ _: '/usr/bin/nohup' });
    child.kill('SIGHUP');
    // A stop makes it unready at once: the second answer comes after the signal.
    for (let times = 0; times < 3; times++) {
      const response = await fetch(`${at}/readyz`, { headers: { connection: 'close' } });
      expect(response.status).toBe(200);
    }
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });
});
