import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { answer, cleanEnvironment, freePort, type Leftovers, START } from './program.ts';

/** Resolves when every process that holds the standard output of `child` has ended: wrapper, program and all in between. */
export async function allEnded(child: ChildProcess): Promise<void> {
  child.stdout?.resume();
  await once(child.stdout as NonNullable<typeof child.stdout>, 'close');
}

/**
 * A stand-in for a package manager: a shell that sets a script's variables for the shell below it, which runs node. On
 * SIGTERM the shell ends without passing it on. The `:` keeps either shell from replacing itself by the command.
 */
export function wrapped(
  leftovers: Leftovers,
  program: string,
  args: readonly string[],
  environment = cleanEnvironment(),
): ChildProcess {
  const inner = 'node "$@"; :';
  const outer = `npm_lifecycle_event=start sh -c '${inner}' sh "$@"; :`;
  return leftovers.spawn('sh', ['-c', outer, 'sh', program, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: environment,
  });
}

/** A test that the program ends with its wrapper, and releases port and data folder. */
export async function endsWithItsWrapper(leftovers: Leftovers, program: string): Promise<void> {
  const port = await freePort();
  const args = ['--port', String(port), '--data-dir', leftovers.folder(), '--log-level', 'silent'];
  const wrapper = wrapped(leftovers, program, args);
  await answer(`http://127.0.0.1:${port}/readyz`);
  wrapper.kill('SIGTERM');
  await allEnded(wrapper);
  // The next one gets both: it would say `storage-locked`, or that the port is taken.
  const next = leftovers.spawn(process.execPath, [START, ...args], { stdio: 'ignore' });
  const code = once(next, 'exit');
  await answer(`http://127.0.0.1:${port}/readyz`);
  next.kill('SIGTERM');
  expect(await code).toEqual([0, null]);
}
