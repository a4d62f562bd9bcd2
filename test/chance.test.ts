import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';

/* The ordinary suite passes or fails for what was changed, never for what was drawn or for how busy the machine is. */

const root = join(import.meta.dirname, '..');
/** Measurements and the long suite are run by themselves; the long suite draws new seeds. */
const elsewhere = ['bench', 'experiments', 'load', 'screenshots', join('chaos', 'long')].map((name) =>
  join(root, 'test', name),
);

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name === 'node_modules' || entry.name === 'dist' || elsewhere.includes(path)) continue;
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

/** Sources that only tests run. */
const tests = [
  ...sources(join(root, 'test')),
  ...['packages', 'apps'].flatMap((name) =>
    [...sources(join(root, name))].filter((path) => /(\.test\.tsx?|\.testing\.ts|contract\.ts)$/.test(path)),
  ),
].filter((path) => path !== import.meta.filename);

it('has one seed for every property that sets none', () => {
  const { COPPICE_PROPERTY_SEED: given } = process.env;
  expect(fc.readConfigureGlobal().seed).toBe(Number(given || 1));
});

it.each([
  ['draws without a seed', /Math\.random\(/],
  ['takes the time for a seed', /Date\.now\(\)\s*[%^&|]/],
  // Its patience is a second. `expect.poll` has that of vitest.config.ts.
  ['waits with vi.waitFor', /vi\.waitFor\(/],
])('has no test that %s', (_, pattern) => {
  expect(tests.length).toBeGreaterThan(200);
  const found = tests.filter((path) => pattern.test(readFileSync(path, 'utf8')));
  expect(found.map((path) => relative(root, path))).toEqual([]);
});

it('has no test that replaces anything for those that share its worker', async () => {
  const { replacing, sharing } = await import('../vitest.config.ts');
  const shared = new RegExp(`^packages/(${sharing})/`);
  const replaces = /vi\.(mock|doMock|stub\w+|useFakeTimers|spyOn)\(|process\.env(\.\w+|\[.+\]) =[^=]/;
  const found = tests
    .filter((path) => replaces.test(readFileSync(path, 'utf8')))
    .map((path) => relative(root, path))
    .filter((path) => shared.test(path));
  expect(found.sort()).toEqual(replacing);
});
