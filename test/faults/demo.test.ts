import { afterAll, describe, expect, it } from 'vitest';
import { onTerminal, PYTHON, servesOnBrokenStreams, serving, waysToBreak } from './broken-streams.ts';
import { answer, DEMO, freePort, Leftovers } from './program.ts';
import { endsWithItsWrapper } from './wrappers.ts';

/* One file, one test after the other: a demo builds the pages where they are older than their sources. */
const leftovers = new Leftovers();
afterAll(() => leftovers.end());

describe('pnpm demo, with standard output and standard error', () => {
  it.each(waysToBreak)('%s: serves, counts the lines that are lost, and ends in good order', (way) =>
    servesOnBrokenStreams(leftovers, DEMO, way),
  );
});

it('pnpm demo ends with its wrapper, and lets go of port and data folder', () =>
  endsWithItsWrapper(leftovers, DEMO));

it.skipIf(PYTHON === null)('pnpm demo ends in good order when its terminal is closed', async () => {
  const port = await freePort();
  const at = `http://127.0.0.1:${port}`;
  const terminal = await onTerminal(leftovers, 'leader', DEMO, serving(leftovers, port));
  await answer(`${at}/readyz`);
  await roundMade(at);
  terminal.close();
  expect(await terminal.next()).toBe('closed');
  expect(await terminal.next()).toBe('ended 0');
});

async function roundMade(at: string): Promise<void> {
  for (;;) {
    const { body } = await answer(`${at}/api/runs`);
    if ((JSON.parse(body) as { round: number }[]).some(({ round }) => round > 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
