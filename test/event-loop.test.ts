import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

/* The coordinator speaks with everybody in one thread: work on a whole model, or on all rounds of a run, takes turns or is not done. */

const root = join(import.meta.dirname, '..', 'packages', 'coordinator', 'src');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/(\.test|\.testing|contract|run-world)\.ts$/.test(path))
  .map((path) => ({ path: relative(root, join(root, path)), text: readFileSync(join(root, path), 'utf8') }));

it.each([
  // Answers of at most one piece.
  ['drives steps without a pause', /(?<![#.\w])finish\(/, ['exchanges/tally.ts']],
  // The first weights of a run in memory, which tests and the demo have.
  ['hashes a whole model at once', /\bweightsHash\(/, ['storage/memory.ts']],
  [
    'encodes or decodes a whole vector at once',
    /\b(encodeValues|takeSteps|withFrozen|readContribution)\(/,
    [],
  ],
  // The API of admins; the start of a run's engine; once or twice for the run of a firing, at its end.
  [
    'reads all rounds of a run',
    /\.rounds\(/,
    ['http/api.ts', 'registry/runs.ts', 'releases/firing-run.ts', 'releases/firing-steps.ts'],
  ],
  // The end of a run, and its engine's start.
  ['reads all checkpoints of a run', /\.checkpoints\(/, ['http/api.ts', 'registry/runs.ts']],
])('has no source that %s but for small work', (_, pattern, allowed) => {
  expect(sources.length).toBeGreaterThan(150);
  const found = sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  expect(found.toSorted()).toEqual(allowed);
});
