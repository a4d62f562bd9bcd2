import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { answer, cleanEnvironment, findProgram, freePort, Leftovers, SIMULATE, START } from './program.ts';
import { allEnded, endsWithItsWrapper, wrapped } from './wrappers.ts';

const leftovers = new Leftovers();
afterAll(() => leftovers.end());

describe('when the wrapper that started it ends by SIGTERM and tells nobody', () => {
  it('pnpm start ends, and lets go of port and data folder', () => endsWithItsWrapper(leftovers, START));

  it('pnpm simulate ends, and leaves nothing', async () => {
    const folder = leftovers.folder();
    const args = ['--json', '--task', 'iris', '--clients', '3', '--rounds', '100000', '--processes', '1'];
    const wrapper = wrapped(leftovers, SIMULATE, args, cleanEnvironment({ TMPDIR: folder }));
    await once(wrapper.stdout as NonNullable<typeof wrapper.stdout>, 'data');
    expect(readdirSync(folder)).not.toEqual([]);
    wrapper.kill('SIGTERM');
    await allEnded(wrapper);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.each([
  ['npm start', ['npm', 'start', '--']],
  ['pnpm start', ['pnpm', 'start']],
  ['npm exec pnpm start', ['npm', 'exec', '--offline', '--yes', 'pnpm@12', '--', 'start']],
])('%s', (_name, [command = '', ...args]) => {
  it.skipIf(findProgram(command) === null)('ended by SIGTERM is the end of the coordinator', async (test) => {
    const port = await freePort();
    const wrapper = leftovers.spawn(
      command,
      [...args, '--port', String(port), '--data-dir', leftovers.folder(), '--log-level', 'silent'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const gone = allEnded(wrapper).then(() => 'gone' as const);
    const up = await Promise.race([answer(`http://127.0.0.1:${port}/readyz`), gone]);
    if (up === 'gone') return test.skip(`${command} does not run here`);
    wrapper.kill('SIGTERM');
    await gone;
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });
});
